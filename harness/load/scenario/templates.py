"""Bodies, paths, queries and headers with places for a case's own columns, compiled once.

In a body a text that is nothing but `"{column}"` becomes the column's value with its JSON type; inside a text
the value stands as text.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from harness.errors import ConfigError, UsageError
from harness.inputs import ABSENT, LocatedYaml, Template, missing_column, value_named

Values = Mapping[str, Any]
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LOCAL = "local"
_SAFE = "/%?&=:@!$'()*+,;~|"


class JsonTemplate:
    """A JSON value with places in it.

    Args:
        content: as the file has it.
        located: the file.
        at: where in it the content stands.
    """

    def __init__(self, content: Any, located: LocatedYaml, at: tuple[str | int, ...]) -> None:
        self.templates: list[Template] = []
        self._make = self._compiled(content, located, at)
        self._constant = None if self.templates else orjson.dumps(self._make({}))

    def render(self, values: Values) -> bytes:
        """The body for one case."""
        return self._constant if self._constant is not None else orjson.dumps(self._make(values))

    def _compiled(
        self, content: Any, located: LocatedYaml, at: tuple[str | int, ...]
    ) -> Callable[[Values], Any]:
        if isinstance(content, str):
            return self._text(Template.parse(content, located.where(at)))
        if isinstance(content, Mapping):
            pairs = [
                (
                    self._text(Template.parse(key, located.where((*at, key)))),
                    self._compiled(value, located, (*at, key)),
                )
                for key, value in content.items()
            ]
            return lambda values: {str(key(values)): make(values) for key, make in pairs}
        if isinstance(content, list):
            items = [self._compiled(value, located, (*at, number)) for number, value in enumerate(content)]
            return lambda values: [make(values) for make in items]
        return lambda _: content

    def _text(self, template: Template) -> Callable[[Values], Any]:
        if not template.names:
            said = template.render({})
            return lambda _: said
        self.templates.append(template)
        if len(template.pieces) == 1 and not template.pieces[0][0]:
            name = template.names[0]
            return lambda values: _typed(template, name, values)
        return template.render


def _typed(template: Template, name: str, values: Values) -> Any:
    value = value_named(values, name)
    if value is ABSENT:
        raise ConfigError(template.source, missing_column(name, values))
    return value


@dataclass(frozen=True, slots=True)
class TextBody:
    """A body of text."""

    template: Template

    @property
    def templates(self) -> list[Template]:
        """What names columns."""
        return [self.template]

    def render(self, values: Values) -> bytes:
        """The body for one case."""
        return self.template.render(values).encode()


@dataclass(frozen=True, slots=True)
class FormBody:
    """A body of form fields."""

    fields: tuple[tuple[str, Template], ...]

    @property
    def templates(self) -> list[Template]:
        """What names columns."""
        return [template for _, template in self.fields]

    def render(self, values: Values) -> bytes:
        """The body for one case."""
        return urlencode([(name, template.render(values)) for name, template in self.fields]).encode()


Body = JsonTemplate | TextBody | FormBody


class _Quoted(dict[str, Any]):
    """A case's values, fit to stand in a path."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and value_named(self._values, name) is not ABSENT

    def __missing__(self, name: str) -> str:
        value = value_named(self._values, name)
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return quote(text, safe="")


def path_of(path: Template, query: tuple[tuple[str, Template], ...], values: Values) -> str:
    """A path with its query; a case's values in it are escaped."""
    said = path.render(_Quoted(values)) if path.names else path.render(values)
    if not said.isascii():
        said = quote(said, safe=_SAFE)
    if not query:
        return said
    fields = urlencode([(name, template.render(values)) for name, template in query])
    return f"{said}{'&' if '?' in said else '?'}{fields}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvText:
    """A text that may name variables of the environment (`${NAME}`) and columns.

    Attributes:
        text: as written.
        source: the file and line.
    """

    text: str
    source: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that it names."""
        return tuple(dict.fromkeys(_VARIABLE.findall(self.text)))

    def bound(self, env: Mapping[str, str], *, what: str, local: bool = False) -> Template:
        """The text with the variables' values in it.

        Args:
            env: the environment.
            what: what it is for, for messages.
            local: a variable that is not set reads `local`: a server of this machine asks for no real key.

        Raises:
            UsageError: a variable is not set, or cannot stand there.
        """

        def value_of(found: re.Match[str]) -> str:
            name = found[1]
            value = env.get(name, "") or (_LOCAL if local else "")
            if not value:
                raise UsageError(f"{self.source}: the environment variable {name} (for {what}) is not set")
            if not value.isascii() or not value.isprintable():
                raise UsageError(
                    f"{self.source}: the value of {name} cannot stand in {what}: it is not printable ASCII"
                )
            return value.replace("{", "{{").replace("}", "}}")

        return Template.parse(_VARIABLE.sub(value_of, self.text), self.source)

    def plain(self) -> Template:
        """The text with its variables left out: what names columns in it."""
        return Template.parse(_VARIABLE.sub("", self.text), self.source)
