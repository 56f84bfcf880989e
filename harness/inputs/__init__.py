"""Files that users write, read with one set of protections: a result, or one sentence that names the place.

A file is bounded in size, UTF-8 (a byte order mark is allowed), and holds plain data only: no YAML alias,
anchor, tag or merge, no key twice, no key that is not text, no NaN or infinity, no NUL, no deep nesting.
Messages name the file and the field, never a value.
"""

from harness.inputs.checking import checked, checked_yaml, first_problem
from harness.inputs.files import LARGEST_SETTINGS_BYTES, is_file, read_bytes, read_text
from harness.inputs.plain import MOST_LEVELS, require_plain
from harness.inputs.plain_json import load_json, parse_json
from harness.inputs.plain_toml import load_toml
from harness.inputs.template import ABSENT, Template, missing_column, value_named
from harness.inputs.yaml_file import LocatedYaml, load_located_yaml, load_yaml

__all__ = [
    "ABSENT",
    "LARGEST_SETTINGS_BYTES",
    "MOST_LEVELS",
    "LocatedYaml",
    "Template",
    "checked",
    "checked_yaml",
    "first_problem",
    "is_file",
    "load_json",
    "load_located_yaml",
    "load_toml",
    "load_yaml",
    "missing_column",
    "parse_json",
    "read_bytes",
    "read_text",
    "require_plain",
    "value_named",
]
