"""The store: a durable spool, exactly-once ingest into DuckDB, and a reader with live tails."""
