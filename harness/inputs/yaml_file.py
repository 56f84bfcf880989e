"""A YAML file as plain data, and where in the file each piece of it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.inputs.files import decoded, read_bytes
from harness.inputs.plain import require_plain

if TYPE_CHECKING:
    import yaml


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LocatedYaml:
    """What a YAML file holds, and the line of each place in it.

    Attributes:
        source: the file.
        content: its plain data.
        lines: counted from 1, by the keys and indices that lead to a place.
    """

    source: str
    content: Any
    lines: Mapping[tuple[str | int, ...], int]

    def where(self, place: Sequence[str | int]) -> str:
        """`file:line` of a place; parts that the file does not have (a union's tag) are passed over."""
        found: tuple[str | int, ...] = ()
        for part in place:
            if (*found, part) in self.lines:
                found = (*found, part)
        return f"{self.source}:{self.lines[found]}" if found in self.lines else self.source


def load_located_yaml(path: Path, most_bytes: int, *, what: str) -> LocatedYaml:
    """The same as `load_yaml`, with the lines, so that whoever checks the content can name them."""
    from harness.inputs.plain_yaml import PlainLoader  # noqa: PLC0415 - most commands read no YAML

    content = load_yaml(path, most_bytes, what=what)
    lines: dict[tuple[str | int, ...], int] = {}
    root = PlainLoader(decoded(read_bytes(path, most_bytes), str(path))).get_single_node()
    _note_lines(root, (), lines)
    return LocatedYaml(source=str(path), content=content, lines=lines)


def _note_lines(
    node: "yaml.Node | None", place: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]
) -> None:
    import yaml  # noqa: PLC0415 - as above

    if node is None:
        return
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[(*place, key.value)] = key.start_mark.line + 1
            _note_lines(value, (*place, key.value), lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _note_lines(value, (*place, index), lines)
