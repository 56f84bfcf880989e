"""Answers held to a JSON schema (draft 2020-12), which may refer only into itself."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from harness.tasks.base import Violation

MOST_ERRORS = 3
_SHOWN_CHARS = 200


class SchemaChecker:
    """Checks values by one schema; the validator is built once.

    Args:
        schema: a good one, see `schema_problem`.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    def errors(self, value: Any) -> list[str]:
        """Every way in which a value breaks the schema, in the order of its places."""
        found = sorted(self._validator.iter_errors(value), key=lambda e: list(map(str, e.absolute_path)))
        return [f"{error.json_path}: {error.message}"[:_SHOWN_CHARS] for error in found]

    def violations(self, value: Any) -> list[Violation]:
        """The same as broken rules, the first few."""
        return [Violation(code="schema", message=said) for said in self.errors(value)[:MOST_ERRORS]]

    @cached_property
    def _validator(self) -> Any:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 - a quarter second that few suites need
        from referencing import Registry  # noqa: PLC0415

        registry: Registry[Any] = Registry()  # an empty one: no schema is ever fetched
        return Draft202012Validator(self._schema, registry=registry)


def schema_problem(schema: Any) -> str | None:
    """What is wrong with a schema itself, in a clause; None for a good one."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - as above
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    if any(not reference.startswith("#") for reference in _references(schema)):
        return "a $ref may only point into the schema itself (#/...)"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"not a JSON schema ({error.message[:_SHOWN_CHARS]})"
    return None


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
