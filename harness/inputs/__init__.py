"""Files that users write, read with one set of protections: a result, or one sentence that names the place.

A file is bounded in size, UTF-8 (a byte order mark is allowed), and holds plain data only: no YAML alias,
anchor, tag or merge, no key twice, no key that is not text, no NaN or infinity, no NUL, no deep nesting.
Messages name the file and the field, never a value.
"""

from harness.inputs.checking import checked, first_problem
from harness.inputs.files import LARGEST_SETTINGS_BYTES, is_file, read_bytes, read_text
from harness.inputs.plain import MOST_LEVELS, require_plain
from harness.inputs.plain_json import load_json, parse_json
from harness.inputs.plain_toml import load_toml
from harness.inputs.yaml_file import load_yaml

__all__ = [
    "LARGEST_SETTINGS_BYTES",
    "MOST_LEVELS",
    "checked",
    "first_problem",
    "is_file",
    "load_json",
    "load_toml",
    "load_yaml",
    "parse_json",
    "read_bytes",
    "read_text",
    "require_plain",
]
