"""What the pages ask of a snapshot: aggregates in SQL, values bound, names from an allow-list."""
