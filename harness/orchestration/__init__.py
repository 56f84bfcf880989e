"""Roles to calls to one request: routing, strategy, retry, pipeline, ledger."""
