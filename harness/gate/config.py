"""The gate's limits from a file: `gate.yaml`, or `[tool.harness.gate]` in `pyproject.toml`."""

import math
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from harness.errors import UsageError
from harness.figures.tags import tag_filters
from harness.gate.figure_limit import parse_figure_limit
from harness.inputs import LARGEST_SETTINGS_BYTES, checked, load_toml, load_yaml, require_plain

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s)\s*$")
_MOST_PYPROJECT_BYTES = 1_000_000
_MS_PER_UNIT = {"ms": 1.0, "s": 1000.0}


def parse_duration_ms(text: str) -> float:
    """Milliseconds of `8s`, `7.5s` or `800ms`; the unit is required.

    Raises:
        UsageError: anything else, or a duration of nothing.
    """
    match = _DURATION.match(text)
    if match is None:
        raise UsageError(f"'{text}' is not a duration; write it with its unit, as in 8s or 800ms")
    value_ms = float(match[1]) * _MS_PER_UNIT[match[2]]
    if value_ms <= 0 or not math.isfinite(value_ms):
        raise UsageError(f"'{text}' is not a limit: it must be longer than nothing")
    return value_ms


def _duration(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("write it with its unit, as in 8s or 800ms")  # noqa: TRY004 - pydantic's own kind
    try:
        return parse_duration_ms(value)
    except UsageError as error:
        raise ValueError(str(error)) from error


def _tags(texts: list[str] | None) -> list[str] | None:
    try:
        tag_filters(texts or [])
    except UsageError as error:
        raise ValueError(str(error)) from error
    return texts


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("an amount is wanted, not true or false")  # noqa: TRY004 - pydantic's own kind
    return value


def _limits(texts: list[str] | None) -> list[str] | None:
    try:
        for text in texts or []:
            parse_figure_limit(text)
    except UsageError as error:
        raise ValueError(str(error)) from error
    return texts


class GateConfig(BaseModel):
    """What a file may say; absent is unset. The names are the command's flags with underscores."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_p95: Annotated[float | None, BeforeValidator(_duration)] = None
    max_error_ratio: float | None = Field(None, ge=0, le=1, strict=True)
    min_rps: float | None = Field(None, ge=0, allow_inf_nan=False, strict=True)
    max_cost_per_request: (
        Annotated[Decimal, BeforeValidator(_no_flag), Field(ge=0, allow_inf_nan=False)] | None
    ) = None
    min_high_tier: float | None = Field(None, ge=0, le=1, strict=True)
    confidence: float | None = Field(None, gt=0.5, lt=1, strict=True)
    require_live: bool | None = Field(None, strict=True)
    baseline: str | None = Field(None, min_length=1)
    strategy: str | None = Field(None, min_length=1)
    against: str | None = Field(None, min_length=1)
    tag: Annotated[list[str] | None, AfterValidator(_tags)] = None
    limit: Annotated[list[str] | None, AfterValidator(_limits)] = None


def load_gate_config(path: Path | None, folder: Path) -> GateConfig:
    """The limits of a file; without one, of `gate.yaml` or else `pyproject.toml` in the folder, if any.

    Args:
        path: a file named by the user; it must exist. `.toml` is read as pyproject, anything else as YAML.
        folder: where to look otherwise.

    Raises:
        ConfigError: the file cannot be read, or says what no limit is; names the file.
    """
    if path is not None:
        return _read(path)
    for name in ("gate.yaml", "pyproject.toml"):
        if (folder / name).is_file():
            return _read(folder / name)
    return GateConfig()


def _read(path: Path) -> GateConfig:
    if path.suffix == ".toml":
        content = _gate_table(load_toml(path, _MOST_PYPROJECT_BYTES), str(path))
    else:
        content = load_yaml(path, LARGEST_SETTINGS_BYTES, what="a list of limits")
    return checked(GateConfig, {} if content is None else content, str(path))


def _gate_table(content: Any, source: str) -> Any:
    """`[tool.harness.gate]` of a pyproject; empty when there is none."""
    for name in ("tool", "harness", "gate"):
        content = content.get(name, {}) if isinstance(content, dict) else content
    return require_plain(content, source)
