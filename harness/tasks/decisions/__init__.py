"""The tasks about decisions: briefs drafted as graphs, options suggested, and the language both read."""
