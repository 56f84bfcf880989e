"""`harness export`: rows, dashboards and monitors for other tools."""

from harness.cli.lazy import group

app = group(
    __name__,
    {
        "parquet": "rows as Parquet, which every command reads back",
        "csv": "one table as CSV, safe in a spreadsheet",
        "datadog": "two dashboards, and a monitor for each alert rule",
    },
    "Rows, dashboards and monitors, for elsewhere.",
)
