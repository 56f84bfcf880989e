"""The providers file: `{defaults, overrides, providers}`, read strictly.

Every mistake is one sentence that names the file and the place in it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import ConfigError

MAX_BYTES = 1_000_000
ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
TaskKey = Literal["draft_graph", "repair_graph", "suggest_options"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RouteChoice(_Strict):
    """A provider and a model; either may be left to a lower level of precedence."""

    provider: str | None = Field(default=None, min_length=1, max_length=64)
    model: str | None = Field(default=None, min_length=1, max_length=200)


class ProviderEntry(_Strict):
    """How to reach a named provider. `api_key_env` names the variable; the key itself never stands here."""

    kind: str = Field(min_length=1, max_length=64)
    base_url: str | None = None
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    local: bool = False
    stream: bool = True


class ProvidersFile(_Strict):
    """The whole file; everything in it is optional."""

    defaults: RouteChoice = RouteChoice()
    overrides: dict[TaskKey, RouteChoice] = Field(default_factory=dict)
    providers: dict[ProviderName, ProviderEntry] = Field(default_factory=dict)


def load_providers_file(path: Path) -> ProvidersFile:
    """The file's content, checked.

    Raises:
        ConfigError: unreadable, too large, not JSON, or not of this shape.
    """
    text = read_bounded(path, MAX_BYTES)
    try:
        content = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}", f"is not JSON ({error.msg})") from error
    except RecursionError as error:
        raise ConfigError(str(path), "is nested too deeply") from error
    except ValueError as error:
        raise ConfigError(str(path), f"is not JSON ({error})") from error
    return _checked(path, content)


def read_bounded(path: Path, max_bytes: int) -> bytes:
    """A small file's bytes.

    Raises:
        ConfigError: unreadable, or larger than that.
    """
    try:
        with path.open("rb") as file:
            text = file.read(max_bytes + 1)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror or type(error).__name__})") from error
    if len(text) > max_bytes:
        raise ConfigError(str(path), f"is larger than {max_bytes:,} bytes")
    return text


def _checked(path: Path, content: Any) -> ProvidersFile:
    try:
        return ProvidersFile.model_validate(content)
    except ValidationError as error:
        raise ConfigError(str(path), first_problem(error)) from error


def first_problem(error: ValidationError) -> str:
    """The first thing pydantic found, as a clause that names the place but never the value."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the whole file"
    message = str(problem["msg"])
    return f"'{place}': {message[:1].lower()}{message[1:]}"


def _without_duplicates(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return content
