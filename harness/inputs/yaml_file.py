"""A YAML file as plain data."""

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs.files import decoded, read_bytes
from harness.inputs.plain import require_plain


def load_yaml(path: Path, most_bytes: int, *, what: str) -> Any:
    """What a YAML file holds; None for an empty one.

    Args:
        path: the file.
        most_bytes: a larger file is refused, unread.
        what: what it should be, for the sentence (`a strategy`).

    Raises:
        ConfigError: unreadable, not YAML, or no plain data; names the file and, where known, the line.
    """
    import yaml  # noqa: PLC0415 - most commands read no YAML

    from harness.inputs.plain_yaml import PlainLoader, yaml_problem  # noqa: PLC0415

    text = decoded(read_bytes(path, most_bytes), str(path))
    try:
        content = PlainLoader(text).get_single_data()
    except (yaml.YAMLError, ValueError, ArithmeticError, RecursionError) as error:
        line, problem = yaml_problem(error)
        where = str(path) if line is None else f"{path}:{line}"
        raise ConfigError(where, f"is not {what} that can be read ({problem})") from error
    return require_plain(content, str(path))
