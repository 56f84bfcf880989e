"""Spool lines into tables: staged, folded, ingested exactly once."""
