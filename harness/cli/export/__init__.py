"""`harness export`: rows, dashboards and monitors for other tools."""
