"""One request of a scenario, and what was found where: before a run, and to write a first file."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from harness.inputs import ABSENT
from harness.load.answer import Answer
from harness.load.binding import exchange_of
from harness.load.cases import CaseBook
from harness.load.plan import LoadPlan
from harness.load.preflight import PlainSender
from harness.load.reading import Reading
from harness.load.recorder import gap_of
from harness.load.scenario.model import Scenario, Step
from harness.load.scenario.places import Place
from harness.records import RequestStatus

MOST_SHOWN_CHARS = 80
_MOST_POINTERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a scenario names in an answer.

    Attributes:
        step: whose answer.
        what: as the file calls it (`answer.text`).
        where: the place as written.
        found: what stands there, shortened; None for nothing.
    """

    step: str
    what: str
    where: str
    found: str | None


@dataclass(slots=True, kw_only=True)
class Probe:
    """What one request came to.

    Attributes:
        answer: as a run would record it.
        findings: what was found where.
        there: pointers that the last answer has, where something named was not there.
        latency_ms: of the whole.
    """

    answer: Answer
    findings: list[Finding]
    there: list[str]
    latency_ms: float

    @property
    def is_ok(self) -> bool:
        """Whether a run would count it as an answer."""
        return self.answer.status is RequestStatus.OK

    @property
    def missing(self) -> list[Finding]:
        """What the scenario names and the answer does not have."""
        return [finding for finding in self.findings if finding.found is None]

    def summary(self) -> list[tuple[str, str]]:
        """What a run would record of it, in words."""
        answer, columns = self.answer, self.answer.columns
        gap_ms, unit = gap_of(answer)
        cost = columns.get("cost_usd")
        source, because = columns.get("cost_source"), columns.get("unpriced_because", "nothing tells it")
        verdict = "a good answer" if self.is_ok else f"{answer.error_kind}: {answer.error_text}"
        rows = [
            ("verdict", verdict),
            ("status", str(answer.http_status or "no answer")),
            ("latency", f"{self.latency_ms:.1f} ms"),
            (
                "provider",
                f"{columns.get('draft_source') or 'not said'}, {columns.get('draft_model') or 'no model'}",
            ),
            ("mode", str(columns.get("provider_mode") or "not said")),
            ("cost", f"unknown: {because}" if cost is None else f"${cost:f} ({source or 'told'})"),
        ]
        if answer.chunks:
            rows.append(("stream", f"{answer.chunks} pieces"))
        if gap_ms is not None:
            rows.append(("gaps", f"{gap_ms:.1f} ms per {unit}"))
        rows += [(f"tag {name}", value) for name, value in columns.get("tags", {}).items()]
        rows += [(f"stage {name}", f"{value:.1f} ms") for name, value in columns.get("stages_ms", {}).items()]
        return rows

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        answer = self.answer
        gap_ms, unit = gap_of(answer)
        return {
            "ok": self.is_ok,
            "http_status": answer.http_status,
            "error_kind": answer.error_kind,
            "error": answer.error_text,
            "latency_ms": self.latency_ms,
            "gap_ms": gap_ms,
            "gap_per": unit,
            "chunks": answer.chunks or None,
            "columns": answer.columns,
            "found": [
                {"step": item.step, "what": item.what, "where": item.where, "found": item.found}
                for item in self.findings
            ],
            "there": self.there,
        }


def probe(scenario: Scenario, plan: LoadPlan, env: Mapping[str, str]) -> Probe:
    """Send the first case's request and look at its answer.

    Raises:
        UsageError: a variable that is not set.
        ConfigError: a wrong data set, or a case without a column that is named.
    """
    exchange = exchange_of(plan, env, scenario)
    seen: list[tuple[Step, Reading]] = []
    exchange.on_read = lambda step, reading: seen.append((step, reading))
    parcel = CaseBook(plan.cases_path, exchange, seed=plan.seed, requests=1)[0]
    sender = PlainSender(plan.target, timeout_s=plan.timeout_s)
    started_ns = time.perf_counter_ns()
    answer = exchange.perform(sender, f"{plan.request_prefix}-check", parcel)
    latency_ms = (time.perf_counter_ns() - started_ns) / 1e6
    sender.close()
    findings = [finding for step, reading in _last_of_each(seen) for finding in _found(step, reading)]
    is_missing = any(finding.found is None for finding in findings)
    there = seen[-1][1].pointers()[:_MOST_POINTERS] if is_missing and seen else []
    return Probe(answer=answer, findings=findings, there=there, latency_ms=latency_ms)


def _last_of_each(seen: list[tuple[Step, Reading]]) -> list[tuple[Step, Reading]]:
    """Of a step that polled, its last answer."""
    return list({step.name: (step, reading) for step, reading in seen}.values())


def _found(step: Step, reading: Reading) -> list[Finding]:
    """What stands at each place that a step names."""
    said = reading.said
    found = []
    if step.answer.wire is not None:
        told = {"text": said.text or None, "model": said.model, "usage": said.usage and _counts(said.usage)}
        where = f"{step.answer.wire}'s own form"
        found += [_finding(step, f"answer.{name}", where, value) for name, value in told.items()]
    for name, place in _named_places(step).items():
        value = reading.at(place)
        if value is not ABSENT and name == "answer.usage":
            value = _counts(said.usage) if said.usage is not None else None
        found.append(_finding(step, name, place.text, None if value is ABSENT else value))
    return found


def _named_places(step: Step) -> dict[str, Place]:
    answer = step.answer
    single = ("text", "model", "provider", "cost_usd", "tier", "score", "id", "server_ms", "completed_event")
    named: dict[str, Place | None] = {f"answer.{name}": getattr(answer, name) for name in single}
    if answer.usage is not None:
        named["answer.usage"] = answer.usage.at
        for count in ("input", "output", "cache_read", "cache_write", "reasoning"):
            named[f"answer.usage.{count}"] = getattr(answer.usage, count)
    named |= {f"answer.stages_ms.{name}": place for name, place in answer.stages_ms.items()}
    named |= {f"success {place.text}": place for place in step.success.holds.places}
    named |= {f"set.{name}": place for name, place in step.sets.items()}
    return {name: place for name, place in named.items() if place is not None}


def _counts(usage: Any) -> str:
    return f"{usage.input_tokens} in, {usage.output_tokens} out"


def _finding(step: Step, what: str, where: str, value: Any) -> Finding:
    if value is None:
        return Finding(step=step.name, what=what, where=where, found=None)
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Finding(step=step.name, what=what, where=where, found=_short(text))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_SHOWN_CHARS else f"{line[: MOST_SHOWN_CHARS - 3]}..."


def heard(scenario: Scenario, plan: LoadPlan, env: Mapping[str, str]) -> tuple[int, str, bytes]:
    """Status, content type and body of one answer to the scenario's first request, unread.

    Raises:
        UsageError: a variable that is not set.
        OSError, HTTPException: nothing answers.
    """
    exchange = exchange_of(plan, env, scenario)
    parcel = CaseBook(plan.cases_path, exchange, seed=plan.seed, requests=1)[0]
    line, body = exchange.bound.steps[0].asked(parcel.values)
    sender = PlainSender(plan.target, timeout_s=plan.timeout_s)
    try:
        response = sender.send(line, f"{plan.request_prefix}-probe", body)
        return response.status_code, response.get("content-type") or "", response.read()
    finally:
        sender.close()
