"""YAML files of settings, read strictly: one mapping, no aliases, no key twice.

Aliases are refused: a few hundred bytes of them can explode into gigabytes.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError
from harness.orchestration.config_file import read_bounded

MAX_BYTES = 100_000


class PlainLoader(yaml.SafeLoader):
    """Safe YAML without aliases and without repeated keys."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node; refuses references."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML has no types here
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the base class's signature
        """One mapping; refuses a key that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key '{key.value}' stands twice", problem_mark=key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def load_plain_yaml(path: Path, *, what: str) -> dict[str, Any]:
    """The mapping that a file holds.

    Args:
        path: the file.
        what: what it should be, for the sentence (`a strategy`).

    Raises:
        ConfigError: unreadable, not YAML, or not a mapping; names the file and, where known, the line.
    """
    content = _parsed(path, read_bounded(path, MAX_BYTES), what)
    if not isinstance(content, Mapping):
        raise ConfigError(str(path), f"is not a mapping of {what}'s fields")
    return dict(content)


def _parsed(path: Path, text: bytes, what: str) -> Any:
    try:
        return yaml.load(text, Loader=PlainLoader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}", f"is not {what} that can be read ({error.problem})") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError, TypeError) as error:
        raise ConfigError(str(path), f"is not YAML ({type(error).__name__})") from error
