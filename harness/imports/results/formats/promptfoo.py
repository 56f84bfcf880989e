"""promptfoo's JSON: a row a test, prompt, provider and repeat.

Its own cache answers with the time and, for some providers, the cost of the first answer: such a row is
timed by nothing and paid by nobody. A failed assertion is an answer of a low score; only `failureReason` 2
is a failure.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from harness.errors import ConfigError
from harness.imports.results.observed import (
    Contents,
    Observed,
    Unreadable,
    milliseconds,
    moment,
    money,
    number,
    table,
    told,
    whole,
)
from harness.imports.results.source import ResultFile
from harness.records import RequestStatus, RunKind

TITLE = "promptfoo JSON"
_CALL_FAILED = 2
_WIRES = {"chat", "completion", "completions", "messages", "responses", "realtime", "live"}
_STATUS = re.compile(r"\b([45]\d\d)\b")
_MOST_CASE_CHARS = 150


def recognises(source: ResultFile) -> bool:
    """Results by test, under `results.results`."""
    results = table(source.top.get("results"))
    return isinstance(results.get("results"), list) and ("evalId" in source.top or "stats" in results)


def contents(source: ResultFile) -> Contents:
    """Every row of an evaluation, repeats numbered in the order of its tests.

    Raises:
        ConfigError: of a version whose rows are others.
    """
    results = source.top["results"]
    if (whole(results.get("version")) or 3) < 3:
        raise ConfigError(str(source.path), "is of promptfoo before version 3 of its results; export it anew")
    version = table(source.top.get("metadata")).get("promptfooVersion")
    found = Contents(
        tool=f"promptfoo {version}" if version else "promptfoo",
        kind=RunKind.EVAL,
        started_at=moment(results.get("timestamp")),
    )
    found.rows = _Reading(results["results"], found).rows()
    return found


class _Reading:
    """One pass over the rows, which remarks on what it saw at its end."""

    def __init__(self, entries: Sequence[Any], found: Contents) -> None:
        self._entries = entries
        self._found = found
        self._repeats: Counter[tuple[str, str]] = Counter()
        self._cases: dict[str, list[str]] = defaultdict(list)
        self._prompts: dict[str, int] = {}
        self._from_cache = 0
        self._told_usd, self._told_again_usd = Decimal(0), Decimal(0)

    def rows(self) -> Iterator[Observed | Unreadable]:
        good = [(place, entry) for place, entry in enumerate(self._entries, start=1) if _is_row(entry)]
        for place, entry in enumerate(self._entries, start=1):
            if not _is_row(entry):
                yield Unreadable(
                    number=place, problem="is no result of a test and a provider", text=_text(entry)
                )
        for _, entry in sorted(good, key=lambda item: whole(item[1].get("promptIdx")) or 0):
            self._prompts.setdefault(str(entry.get("promptId")), len(self._prompts) + 1)
        for place, entry in sorted(good, key=lambda item: (whole(item[1].get("testIdx")) or 0, item[0])):
            yield self._row(place, entry)
        self._remark()

    def _row(self, place: int, entry: Mapping[str, Any]) -> Observed:
        response = table(entry.get("response"))
        strategy, case = self._strategy(entry), self._case(entry)
        self._repeats[case, strategy] += 1
        provider, model = provider_and_model(str(table(entry["provider"]).get("id")))
        failed, cached = entry.get("failureReason") == _CALL_FAILED, response.get("cached") is True
        self._count_money(response, cached=cached)
        usage = table(response.get("tokenUsage"))
        known = not cached and (whole(usage.get("prompt")) or whole(usage.get("completion")))
        detail = table(usage.get("completionDetails"))
        message = str(entry.get("error") or response.get("error") or "") if failed else None
        return Observed(
            number=place,
            status=RequestStatus.ERROR if failed else RequestStatus.OK,
            http_status=_http_status(response, message),
            error_message=message,
            provider=provider,
            model=model,
            strategy=strategy,
            case_id=case,
            repeat=self._repeats[case, strategy],
            latency_ms=None if failed or cached else milliseconds(entry.get("latencyMs")),
            input_tokens=whole(usage.get("prompt")) if known else None,
            cache_read_tokens=whole(detail.get("cacheReadInputTokens")) if known else None,
            cache_write_tokens=whole(detail.get("cacheCreationInputTokens")) if known else None,
            output_tokens=whole(usage.get("completion")) if known else None,
            score=None if failed else _score(entry),
            from_cache=cached,
            told_cost_usd=None if cached else money(response.get("cost")),
        )

    def _strategy(self, entry: Mapping[str, Any]) -> str:
        provider = entry["provider"]
        name = str(provider.get("label") or provider.get("id"))
        several = len(self._prompts) > 1
        return f"{name}, prompt {self._prompts[str(entry.get('promptId'))]}" if several else name

    def _case(self, entry: Mapping[str, Any]) -> str:
        """The test's variables; tests of the same ones with other assertions are told apart by number."""
        test = table(entry.get("testCase"))
        name = str(test.get("description") or _named(table(entry.get("vars"))))[:_MOST_CASE_CHARS]
        identity = _text([entry.get("vars"), test.get("assert")])
        known = self._cases[name]
        if identity not in known:
            known.append(identity)
        place = known.index(identity)
        return f"{name} #{place + 1}" if place else name

    def _count_money(self, response: Mapping[str, Any], *, cached: bool) -> None:
        self._from_cache += cached
        cost = money(response.get("cost")) or Decimal(0)
        if cached:
            self._told_again_usd += cost
        else:
            self._told_usd += cost

    def _remark(self) -> None:
        found = self._found
        found.figures = told(
            {"cost_usd": round(self._told_usd, 10)},
            of="answers that were not out of its cache and whose price it knows",
        )
        remarks = []
        if self._from_cache:
            remarks.append(
                f"{self._from_cache} answers are out of promptfoo's own cache: untimed, and $0 now"
            )
        if self._told_again_usd:
            again_usd = f"${round(self._told_again_usd, 10).normalize():f}"
            remarks.append(f"of those, promptfoo tells {again_usd} once more, which was spent earlier")
        found.remarks = remarks


def provider_and_model(provider_id: str) -> tuple[str | None, str]:
    """`openai:chat:gpt-4o` as openai and gpt-4o; a provider of no such form has no model but its own id."""
    provider, colon, rest = provider_id.partition(":")
    if not colon or "/" in provider or provider in ("file", "exec", "python", "http", "https"):
        return None, provider_id
    wire, colon, model = rest.partition(":")
    return provider, model if colon and wire in _WIRES else rest


def _is_row(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("provider"), dict) and "testIdx" in entry


def _score(entry: Mapping[str, Any]) -> float | None:
    """Of a test that asserts something; without an assertion everything scores 1, which says nothing."""
    graded = table(entry.get("gradingResult")).get("componentResults") or table(entry.get("testCase")).get(
        "assert"
    )
    found = number(entry.get("score"))
    return found if graded and found is not None and found <= 1 else None


def _http_status(response: Mapping[str, Any], message: str | None) -> int | None:
    http = table(table(response.get("metadata")).get("http"))
    if (status := whole(http.get("status"))) is not None:
        return status
    stated = _STATUS.search((message or "")[:100])
    return int(stated[1]) if stated else None


def _named(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}={value if isinstance(value, str) else _text(value)}" for name, value in values.items()
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
