"""Sources from elsewhere: logs that grow, tables of outcomes."""
