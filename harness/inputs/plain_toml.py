"""TOML, read strictly."""

from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs.files import read_text
from harness.inputs.plain import TOO_DEEP


def load_toml(path: Path, most_bytes: int) -> dict[str, Any]:
    """What a TOML file holds; the caller checks its own table with `require_plain`.

    Raises:
        ConfigError: unreadable, too large or not TOML; names the file.
    """
    import tomllib  # noqa: PLC0415 - most commands read no TOML

    text = read_text(path, most_bytes)
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(str(path), f"is not TOML that can be read: it {TOO_DEEP}") from error
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise ConfigError(str(path), f"is not TOML ({' '.join(str(error).split())[:120]})") from error
