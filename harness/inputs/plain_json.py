"""JSON, read strictly: no key twice, no NaN, numbers exact where asked."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs.files import decoded, read_bytes
from harness.inputs.plain import TOO_DEEP, require_plain


class _TwiceError(ValueError):
    pass


def load_json(path: Path, most_bytes: int, *, exact: bool = False) -> Any:
    """What a JSON file holds; arguments and errors as `read_bytes` and `parse_json`."""
    return parse_json(read_bytes(path, most_bytes), str(path), exact=exact)


def parse_json(data: bytes, source: str, *, exact: bool = False) -> Any:
    """The value of a JSON text.

    Args:
        data: UTF-8.
        source: what messages call it; a line of it is named as `source:line`.
        exact: numbers with a point or an exponent become Decimals with their own digits, not floats.

    Raises:
        ConfigError: not JSON, or no plain data.
    """
    text = decoded(data, source)
    try:
        content = json.loads(
            text,
            parse_float=Decimal if exact else float,
            parse_constant=_refuse_constant,
            object_pairs_hook=_once_each,
        )
    except json.JSONDecodeError as error:
        where = f"{source}:{error.lineno}" if "\n" in text.strip() else source
        raise ConfigError(where, f"is not JSON ({_lowered(error.msg)})") from error
    except RecursionError as error:
        raise ConfigError(source, f"is not JSON that can be read: it {TOO_DEEP}") from error
    except _TwiceError as error:
        raise ConfigError(source, str(error)) from error
    except (ValueError, ArithmeticError) as error:  # a number of thousands of digits; NaN
        raise ConfigError(source, "is not JSON (a number that can be reckoned with was expected)") from error
    return require_plain(content, source)


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return content


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
