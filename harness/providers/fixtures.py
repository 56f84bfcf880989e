"""A provider that is none: deterministic answers made in this process, no key, no network, no cost.

It reads the question's tags (`<brief>`, `<goal>`, ...) and answers by rule. A prompt without them gets the
smallest instance of its schema, so that any task runs.
"""

import re
from collections.abc import Mapping
from typing import Any

from harness.clock import SYSTEM_CLOCK, Clock
from harness.providers.base import ProviderSettings
from harness.providers.fixture_answers import draft_answer, options_answer
from harness.records import NO_USAGE, Completion, Prompt, dump_json

FIXTURE_SETTINGS = ProviderSettings(name="fixtures", kind="fixtures", local=True)
_TAG = re.compile(r"<(brief|graph|violations|goal|constraints)>\s*(.*?)\s*</\1>", re.DOTALL)


class FixturesAdapter:
    """Answers by rule; see `LLMAdapter`. The same prompt always gets the same answer."""

    def __init__(
        self,
        settings: ProviderSettings = FIXTURE_SETTINGS,
        model: str = "fixture-v1",
        *,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.name = settings.name
        self.model = model
        self.local = True
        self._clock = clock

    async def generate(self, prompt: Prompt, *, call_id: str, timeout_s: float) -> Completion:
        """Answer at once; `call_id` and `timeout_s` mean nothing here. Nothing was billed: usage is zero."""
        del call_id, timeout_s
        started_ns = self._clock.monotonic_ns()
        text = dump_json(_answer(prompt)).decode()
        return Completion(
            text=text,
            usage=NO_USAGE,
            model=self.model,
            stop_reason="end_turn",
            ttft_ns=self._clock.monotonic_ns() - started_ns,
        )

    async def aclose(self) -> None:
        """Nothing to release."""


def _answer(prompt: Prompt) -> Any:
    said: dict[str, str] = {name: text for name, text in _TAG.findall(prompt.user)}  # noqa: C416 - typed
    if "brief" in said:
        return draft_answer(said["brief"])
    if "goal" in said:
        return options_answer(said["goal"], said.get("constraints", ""))
    if prompt.output_schema is not None:
        return smallest_instance(prompt.output_schema)
    return {"answer": "fixture"}


def smallest_instance(schema: Mapping[str, Any]) -> Any:
    """The plainest value that a JSON schema allows: first choices, required fields, lower bounds.

    Args:
        schema: plain keywords; `$ref` and pattern are beyond a fixture.
    """
    if "const" in schema or schema.get("enum"):
        return schema.get("const", (schema.get("enum") or [None])[0])
    variants = schema.get("anyOf") or schema.get("oneOf")
    if variants:
        return smallest_instance(variants[0])
    wanted = schema.get("type", "object")
    kind = wanted[0] if isinstance(wanted, list) else wanted
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: smallest_instance(properties.get(name, {})) for name in schema.get("required", ())}
    if kind == "array":
        return [smallest_instance(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    return _smallest_scalar(kind, schema)


def _smallest_scalar(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "string":
        return "fixture".ljust(schema.get("minLength", 0), "-")[: schema.get("maxLength")]
    if kind in ("number", "integer"):
        return schema.get("minimum", 0)
    return False if kind == "boolean" else None
