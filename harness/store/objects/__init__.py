"""The store as Parquet, in a folder or on object storage."""
