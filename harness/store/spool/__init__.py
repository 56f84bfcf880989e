"""The write side: append-only files of checked lines, durable before they are acknowledged."""
