#!/usr/bin/env bash
# DuckDB takes `at` as a column's name without quotes (`SELECT 2 AS at`, `CREATE TABLE ... AS`), and then refuses to read it
# without quotes: SELECT, WHERE and ORDER BY end in a parser error. Qualified (`t.at`) or quoted it is read.
# Expected: a name that can be given unquoted can be read unquoted. Seen with duckdb 2.0.0, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import duckdb

con = duckdb.connect()
con.execute("CREATE TABLE calls AS SELECT 1 AS n, 2 AS at")
seen = {}
for query in (
    "SELECT 2 AS at",
    "SELECT at FROM calls",
    "SELECT n FROM calls WHERE at = 2",
    "SELECT n FROM calls ORDER BY at",
    "SELECT calls.at FROM calls",
    'SELECT "at" FROM calls',
):
    try:
        seen[query] = con.execute(query).fetchall()
    except duckdb.ParserException as error:
        seen[query] = str(error).splitlines()[0]
    print(f"duckdb {duckdb.__version__}: {query}: {seen[query]}")
refused = [query for query, answer in seen.items() if isinstance(answer, str)]
assert refused == [
    "SELECT at FROM calls",
    "SELECT n FROM calls WHERE at = 2",
    "SELECT n FROM calls ORDER BY at",
], refused
PYTHON
