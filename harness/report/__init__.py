"""Documents that show figures: tables, Markdown, HTML, JSON. Nothing is worked out here."""
