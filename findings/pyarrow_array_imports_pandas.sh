#!/usr/bin/env bash
# pyarrow.array of a plain Python list, also with its type given, imports the whole of pandas where that is installed, and
# so does pyarrow.repeat: a command that never touches a data frame pays for its import.
# Expected: pandas is asked for only where a pandas object is passed. Seen with pyarrow 26.0.1, pandas 3.1.1, Python 3.11.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check pyarrow==26.0.1 pandas==3.1.1
for call in 'pa.int64()' 'pa.array([1, 2], type=pa.int64())' 'pa.repeat("x", 3)'; do
  "$folder/venv/bin/python" - "$call" <<'PYTHON'
import sys

import pyarrow as pa

before = "pandas" in sys.modules
eval(sys.argv[1])
after = "pandas" in sys.modules
print(f"pyarrow {pa.__version__}: {sys.argv[1]}: pandas imported before {before}, after {after}")
assert not before
assert after is (sys.argv[1] != "pa.int64()")
PYTHON
done
