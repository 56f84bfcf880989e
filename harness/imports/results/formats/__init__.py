"""One file a tool: `TITLE`, `recognises(source)` and `contents(source)`; its name is the format's."""
