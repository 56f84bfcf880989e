"""YAML, read strictly: plain data, nothing said twice, nothing by reference.

Aliases are refused because a few hundred bytes of them expand to gigabytes; dates stay the text they are.
"""

from typing import Any

import yaml

from harness.inputs.plain import MOST_LEVELS, TOO_DEEP

_STR = "tag:yaml.org,2002:str"
_PLAIN_TAGS = frozenset({f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")})


class PlainLoader(yaml.SafeLoader):
    """YAML 1.1's scalars, lists and mappings; a `MarkedYAMLError` for everything else."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class's own table, less dates and merges
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _PLAIN_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node; refuses references, and nesting that would end the interpreter's stack."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML has no types here
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not allowed", problem_mark=event.start_mark
            )
        if self._level > MOST_LEVELS:
            raise yaml.MarkedYAMLError(problem=TOO_DEEP, problem_mark=event.start_mark)
        self._level += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._level -= 1

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        """One mapping, every key of it a text that stands once."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != _STR:
                shown = f" '{key.value[:40]}'" if isinstance(key, yaml.ScalarNode) else ""
                raise yaml.MarkedYAMLError(
                    problem=f"the key{shown} is not a text; put it in quotes", problem_mark=key.start_mark
                )
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def construct_tagged(self, node: Any) -> Any:
        """Refuse a tag that is not plain data."""
        raise yaml.MarkedYAMLError(
            problem=f"the tag {str(node.tag)[:60]} is not plain data", problem_mark=node.start_mark
        )


def _plain_constructors() -> dict[str | None, Any]:
    kept = {f"tag:yaml.org,2002:{name}" for name in ("seq", "map")} | _PLAIN_TAGS
    own: dict[str | None, Any] = {
        tag: construct for tag, construct in yaml.SafeLoader.yaml_constructors.items() if tag in kept
    }
    own[None] = PlainLoader.construct_tagged
    return own


PlainLoader.yaml_constructors = _plain_constructors()


def yaml_problem(error: Exception) -> tuple[int | None, str]:
    """The line, counted from 1, and the clause for what PyYAML raised."""
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return line, " ".join(str(error.problem or "it cannot be parsed").split())
    if isinstance(error, yaml.reader.ReaderError):
        return None, f"a character that YAML does not allow, at {error.position}"
    return None, "a number that cannot be reckoned with, or an unfinished value"
