"""`harness strategies`: list, compare, find the frontier, import."""
