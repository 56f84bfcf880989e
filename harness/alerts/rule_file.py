"""Rule files: YAML read with its lines, so that a wrong rule is one sentence and the others still run."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from harness.alerts.rule import Rule
from harness.errors import ConfigError
from harness.inputs import (
    LARGEST_SETTINGS_BYTES,
    first_problem,
    read_text,
    require_plain,
)
from harness.inputs.plain_yaml import PlainLoader, yaml_problem

_ERRORS = (yaml.YAMLError, ValueError, ArithmeticError, RecursionError)
"""What reading YAML can raise; everything becomes a sentence."""


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
        text = read_text(path, LARGEST_SETTINGS_BYTES)
    except ConfigError as error:
        return {}, [str(error)]
    return _parse(text, str(path))


def _parse(text: str, source: str) -> tuple[dict[str, Rule], list[str]]:
    try:
        loader = PlainLoader(text)
        root = loader.get_single_node()
        items = _rule_nodes(root)
    except _ERRORS as error:
        return {}, [_told(error, source, 1)]
    rules: dict[str, Rule] = {}
    problems = []
    for node in items:
        try:
            rule = _rule(loader, node)
            if rule.name in rules:
                twice = ConfigError(f"{source}:{_line(node)}", f"there is a rule '{rule.name}' above")
                problems.append(str(twice))
            else:
                rules[rule.name] = rule
        except ValidationError as error:
            problems.append(_sentence(error, node, source))
        except ConfigError as error:
            problems.append(str(ConfigError(f"{source}:{_line(node)}", error.problem)))
        except _ERRORS as error:
            problems.append(_told(error, source, _line(node)))
    return rules, problems


def _told(error: Exception, source: str, line: int) -> str:
    """What PyYAML could not read, as a sentence that begins with the place."""
    at, problem = yaml_problem(error)
    return str(ConfigError(f"{source}:{at or line}", problem))


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


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


def _rule(loader: PlainLoader, node: Any) -> Rule:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.MarkedYAMLError(problem="a rule is a mapping", problem_mark=node.start_mark)
    content = loader.construct_mapping(node, deep=True)
    return Rule.model_validate(require_plain(content, "a rule", infinite=True))


def _sentence(error: ValidationError, node: Any, source: str) -> str:
    """The first problem, at the line of the key it is about."""
    first = error.errors(include_url=False, include_input=False)[0]
    line, name = _line(node), ""
    for key, value in node.value:
        if first["loc"] and key.value == first["loc"][0]:
            line = _line(key)
        if key.value == "name" and isinstance(value, yaml.ScalarNode):
            name = f"rule '{value.value[:64]}': "
    return str(ConfigError(f"{source}:{line}", f"{name}{first_problem(error)}"))
