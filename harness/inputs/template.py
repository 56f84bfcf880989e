"""Texts with places for a case's own values: `{column}`, or `{column.field}` inside an object.

A brace that is meant as such is written twice. What a template names is known when it is read, so that a
missing column is refused before anything is sent, never sent as an empty text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any

from harness.errors import ConfigError

ABSENT = object()
"""A case has nothing under that name."""
_SHOWN_NAMES = 12


@dataclass(frozen=True)
class Template:
    """A text with places in it.

    Attributes:
        source: where it is written, for messages (`suite.yaml:4`).
        pieces: a literal text, and the name of the place behind it; None where none follows.
    """

    source: str
    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str, source: str) -> "Template":
        """A text as a template.

        Raises:
            ConfigError: a brace that stands alone, or a place that is no plain name.
        """
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise ConfigError(
                source, f"a brace stands alone ({error}); write {{{{ or }}}} for one"
            ) from error
        pieces = []
        for literal, name, form, conversion in parsed:
            if name is not None and (not name.strip() or form or conversion or '"' in name or "\n" in name):
                shown = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
                problem = f"'{{{shown[:60]}}}' names no column; write {{{{ and }}}} for braces of its own"
                raise ConfigError(source, problem)
            pieces.append((literal, None if name is None else name.strip()))
        return cls(source, tuple(pieces))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it names, in order, without repetition."""
        return tuple(dict.fromkeys(name for _, name in self.pieces if name is not None))

    def render(self, values: Mapping[str, Any]) -> str:
        """The text for one case: texts as they are, anything else as JSON.

        Raises:
            ConfigError: the case lacks a name; says which there are.
        """
        said = []
        for literal, name in self.pieces:
            said.append(literal)
            if name is not None:
                value = value_named(values, name)
                if value is ABSENT:
                    raise ConfigError(self.source, missing_column(name, values))
                said.append(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        return "".join(said)


def value_named(values: Mapping[str, Any], name: str) -> Any:
    """A case's value by column, or by the dotted path inside one; `ABSENT` where there is none."""
    if name in values:
        return values[name]
    value: Any = values
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return ABSENT
        value = value[part]
    return value


def missing_column(name: str, values: Iterable[str]) -> str:
    """The clause that says a column is not there, and which are."""
    there = list(values)
    shown = ", ".join(there[:_SHOWN_NAMES]) + (", ..." if len(there) > _SHOWN_NAMES else "")
    return f"there is no column '{name}' (there is: {shown or 'none'})"
