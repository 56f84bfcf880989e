"""Run reports: JSON, self-contained HTML, Markdown."""
