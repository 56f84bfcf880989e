"""The DuckDB file: its tables, migrations, locks, and views that include live tails."""
