"""Rule files: YAML read with its lines, so that a wrong rule is one sentence and the others still run."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from harness.alerts.rule import Rule

MAX_FILE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules in force, and a sentence for each that could not be read.

    Iterating gives the rules.
    """

    rules: tuple[Rule, ...]
    problems: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Rule]:
        """The rules, in the order of their files."""
        return iter(self.rules)

    def __len__(self) -> int:
        """How many rules are in force."""
        return len(self.rules)


class _NoAliases(yaml.SafeLoader):
    """YAML without aliases: a few hundred bytes of nested ones expand to gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def load_rules(path: Path | None = None) -> RuleSet:
    """The built-in rules, and those of a file, which replace built-in ones of the same name.

    Args:
        path: a rule file; None loads the built-in rules alone.

    Returns:
        Every rule that can be read; what is wrong is told in `problems`, never raised.
    """
    built_in = files("harness.alerts").joinpath("rules.yaml").read_text(encoding="utf-8")
    rules, problems = _parse(built_in, "rules.yaml")
    if path is not None:
        own, wrong = _read(path)
        rules = {**rules, **own}
        problems = [*problems, *wrong]
    return RuleSet(tuple(rule for rule in rules.values() if rule.enabled), tuple(problems))


def _read(path: Path) -> tuple[dict[str, Rule], list[str]]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            return {}, [f"{path}: is larger than a rule file can be ({MAX_FILE_BYTES:,} bytes)"]
        return _parse(data.decode("utf-8"), str(path))
    except OSError as error:
        return {}, [f"{path}: cannot be read ({error.strerror})"]
    except UnicodeDecodeError:
        return {}, [f"{path}: is not UTF-8 text"]


def _parse(text: str, source: str) -> tuple[dict[str, Rule], list[str]]:
    try:
        loader = _NoAliases(text)
        root = loader.get_single_node()
        items = _rule_nodes(root)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return {}, [f"{source}:{line}: {error.problem or 'cannot be parsed'}"]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        return {}, [f"{source}:1: cannot be parsed: {' '.join(str(error).split())[:200]}"]
    rules: dict[str, Rule] = {}
    problems = []
    for node in items:
        try:
            rule = _rule(loader, node)
            if rule.name in rules:
                problems.append(f"{source}:{node.start_mark.line + 1}: there is a rule '{rule.name}' above")
            else:
                rules[rule.name] = rule
        except ValidationError as error:
            problems.append(_sentence(error, node, source))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or node.start_mark
            problems.append(f"{source}:{mark.line + 1}: {error.problem}")
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(f"{source}:{node.start_mark.line + 1}: {' '.join(str(error).split())[:200]}")
    return rules, problems


def _rule_nodes(root: Any) -> list[Any]:
    """The nodes below `rules:`, the only key a file has."""
    if not isinstance(root, yaml.MappingNode):
        mark = root.start_mark if root is not None else None
        raise yaml.MarkedYAMLError(problem="a rule file begins with 'rules:'", problem_mark=mark)
    listed: list[Any] | None = None
    for key, value in root.value:
        if key.value != "rules":
            raise yaml.MarkedYAMLError(
                problem=f"unknown key '{str(key.value)[:40]}'; a rule file has only 'rules'",
                problem_mark=key.start_mark,
            )
        if not isinstance(value, yaml.SequenceNode):
            raise yaml.MarkedYAMLError(problem="'rules' is a list", problem_mark=key.start_mark)
        listed = value.value
    if listed is None:
        raise yaml.MarkedYAMLError(problem="a rule file begins with 'rules:'", problem_mark=root.start_mark)
    return listed


def _rule(loader: yaml.SafeLoader, node: Any) -> Rule:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.MarkedYAMLError(problem="a rule is a mapping", problem_mark=node.start_mark)
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.MarkedYAMLError(
                problem=f"'{str(key.value)[:40]}' is said twice", problem_mark=key.start_mark
            )
        seen.add(str(key.value))
    return Rule.model_validate(loader.construct_mapping(node, deep=True))


def _sentence(error: ValidationError, node: Any, source: str) -> str:
    """The first problem, at the line of the key it is about."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    line, name = node.start_mark.line, ""
    for key, value in node.value:
        if where and key.value == where[0]:
            line = key.start_mark.line
        if key.value == "name" and isinstance(value, yaml.ScalarNode):
            name = f"rule '{value.value[:64]}': "
    problem = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        problem = "there is no such key"
    return f"{source}:{line + 1}: {name}{'.'.join(where[:2]) + ': ' if where else ''}{problem}"
