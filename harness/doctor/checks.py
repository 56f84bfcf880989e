"""The questions of `harness doctor`, each answered by looking, not by believing."""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx2

from harness.addresses import joined
from harness.alerts import WEBHOOK_VARIABLE, Webhook, current_states, load_rules
from harness.errors import ConfigError, HarnessError, StoreError
from harness.keys import PROVIDER_KEYS
from harness.orchestration import Route, resolve_routing, resolve_strategy
from harness.providers.access import access_problem
from harness.proxies import proxy_for
from harness.records import AlertState, GateVerdict, environment_name, new_id
from harness.records.jsontext import load_json_exact
from harness.store import Store, open_store

_TIMEOUT_S = 70.0
_BRIEF = "Should we raise the price of the basic plan from $20 to $25 in March, or wait for the new billing?"
TELEMETRY_WITHIN = timedelta(hours=1)
GATE_WITHIN = timedelta(days=7)
_LOOKS, _LOOK_S = 10, 0.2


class Answer(StrEnum):
    """How a check ended; `unknown` could not be looked at."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist."""

    name: str
    answer: Answer
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the doctor is to look at.

    Attributes:
        env: the environment variables.
        store_dir: the store's folder.
        target: base URL of the service, or None.
        production: True for the checklist before production.
        send_request: False leaves out the test request, which costs money.
        rules: a file of the user's own alert rules.
        now: the present moment.
    """

    env: Mapping[str, str]
    store_dir: Path
    target: str | None
    production: bool
    send_request: bool
    rules: Path | None
    now: datetime


def examine(question: Question) -> list[Check]:
    """Every check, in the order in which one would mend things."""
    return [
        *_routing_checks(question),
        *_service_checks(question),
        *_store_checks(question),
        _alerts_check(question),
    ]


def _routing_checks(question: Question) -> Iterator[Check]:
    try:
        routing = resolve_routing(question.env)
        strategy = resolve_strategy(routing, None)
    except HarnessError as error:
        yield Check("configuration", Answer.FAIL, str(error))
        return
    environment = routing.environment
    right = environment == "production" or not question.production
    hint = "" if right else "; set HARNESS_ENV=production"
    yield Check("environment", Answer.OK if right else Answer.FAIL, f"{environment}{hint}")
    routes = {f"{route.provider}/{route.model}": route for route in strategy.routes}
    for name, route in routes.items():
        if route.is_fixtures:
            answer = Answer.FAIL if question.production else Answer.OK
            yield Check("provider", answer, f"{name}: canned answers, not a model")
        else:
            yield _key_check(name, route)


def _key_check(name: str, route: Route) -> Check:
    if route.missing_key is not None:
        return Check("key", Answer.FAIL, f"{name}: {route.missing_key} is not set")
    problem = access_problem(route.settings, route.model)
    if problem is not None:
        return Check("key", Answer.FAIL, f"{name}: {problem}")
    key = route.settings.api_key
    if key is None:
        found = "AWS credentials found" if route.settings.kind == "bedrock" else "needs none"
        return Check("key", Answer.OK, f"{name}: {found}")
    known = PROVIDER_KEYS.get(route.settings.name)
    if known is not None and (known.shape.fullmatch(key) is None or len(set(key)) < 8):
        told = f"{known.variable} does not look like a key ({known.begins})"
        return Check("key", Answer.FAIL, f"{name}: {told}")
    return Check("key", Answer.OK, f"{name}: present and plausible")


def _service_checks(question: Question) -> Iterator[Check]:
    if question.target is None:
        for name in ("health", "test request"):
            yield Check(name, Answer.UNKNOWN, "no service named; give --target or PERF_TARGET_URL")
        return
    base = question.target.rstrip("/")
    health = _health(base)
    yield health[0]
    if health[0].answer is not Answer.OK:
        yield Check("test request", Answer.UNKNOWN, "not sent: the service is not healthy")
        return
    yield from _health_details(health[1], question)
    if question.send_request:
        yield _test_request(base, question)
    else:
        yield Check("test request", Answer.UNKNOWN, "not sent, as asked")


def _health(base: str) -> tuple[Check, dict[str, Any]]:
    try:
        answer = httpx2.get(joined(base, "/healthz"), timeout=_TIMEOUT_S, **_way(base))
        told = load_json_exact(answer.content)
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
        return Check("health", Answer.FAIL, f"/healthz: no answer to use ({type(error).__name__})"), {}
    if not isinstance(told, dict) or answer.status_code != 200 or told.get("ok") is not True:
        return Check("health", Answer.FAIL, f"/healthz answered {answer.status_code}, not ok"), {}
    return Check("health", Answer.OK, f"/healthz is ok, version {told.get('version', 'not told')}"), told


def _way(base: str) -> dict[str, Any]:
    """Through the proxy that the environment names for it, if any."""
    return {"proxy": proxy_for(base, os.environ), "trust_env": False}


def _health_details(told: dict[str, Any], question: Question) -> Iterator[Check]:
    if told.get("environment") is not None:
        right = not question.production or environment_name(str(told["environment"])) == "production"
        yield Check("service environment", Answer.OK if right else Answer.FAIL, str(told["environment"])[:80])
    names = [told.get("provider"), told.get("repair_provider")]
    canned = "fixtures" in names or told.get("provider_mode") == "fixtures"
    shown = " + ".join(str(name)[:80] for name in names if name) or "not told"
    bad = canned and question.production
    yield Check("service provider", Answer.FAIL if bad else Answer.OK, shown)


def _test_request(base: str, question: Question) -> Check:
    """One real request: it must cost something and come from a model, by its own telemetry or the store's."""
    name, request_id = "test request", new_id("doctor")
    headers = {"X-Request-Id": request_id, "X-Assist-Telemetry": "1"}
    try:
        answer = httpx2.post(
            joined(base, "/assist/draft-graph"),
            json={"brief": _BRIEF},
            headers=headers,
            timeout=_TIMEOUT_S,
            **_way(base),
        )
    except (httpx2.HTTPError, OSError) as error:
        return Check(name, Answer.FAIL, f"no answer ({type(error).__name__})")
    if answer.status_code != 200:
        return Check(name, Answer.FAIL, f"answered {answer.status_code}")
    told = _telemetry(answer.headers.get("x-assist-telemetry")) or _stored(question.store_dir, request_id)
    if told is None:
        return Check(
            name, Answer.UNKNOWN, "answered 200, but its telemetry is neither in the header nor in the store"
        )
    return Check(name, *_judged(told, question))


def _judged(told: dict[str, Any], question: Question) -> tuple[Answer, str]:
    """What the test request's telemetry says about it."""
    sources = [told.get("draft_source"), told.get("repair_source")]
    cost = told.get("cost_usd")
    canned = "fixtures" in sources or told.get("provider_mode") == "fixtures"
    if canned:
        return Answer.FAIL if question.production else Answer.OK, "answered from fixtures"
    if not isinstance(cost, Decimal | int | float) or not cost > 0:
        shown = "unknown" if cost is None else str(cost)[:40]
        return (Answer.FAIL, f"cost is {shown}, not more than 0")
    shown = " + ".join(str(source)[:80] for source in sources if source) or "an unnamed source"
    mode = told.get("provider_mode") or "unknown"
    if question.production and mode == "emulated":
        return (Answer.FAIL, "answered by emulated providers")
    return (Answer.OK, f"200 from {shown} for ${cost} ({mode} providers)")


def _telemetry(header: str | None) -> dict[str, Any] | None:
    try:
        told = load_json_exact(header) if header else None
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _stored(store_dir: Path, request_id: str) -> dict[str, Any] | None:
    try:
        with open_store(store_dir).snapshot() as view:
            rows = view.dicts(
                "SELECT draft_source, repair_source, cost_usd, provider_mode FROM requests "
                "WHERE request_id = ? LIMIT 1",
                [request_id],
            )
    except StoreError:
        return None
    return rows[0] if rows else None


def _store_checks(question: Question) -> Iterator[Check]:
    try:
        store = open_store(question.store_dir)
        yield _telemetry_check(store, question)
        yield _gate_check(store, question)
    except StoreError as error:
        answer = Answer.FAIL if question.production else Answer.UNKNOWN
        yield Check("telemetry", answer, str(error))
        yield Check("gate", answer, "no store, no verdict")


def _telemetry_check(store: Store, question: Question) -> Check:
    latest = _latest_event(store, question)
    looks = 0
    while latest is None and looks < _LOOKS and question.target is not None:
        time.sleep(_LOOK_S)  # the test request's own event may still be on its way to the disk
        latest, looks = _latest_event(store, question), looks + 1
    where = " from production" if question.production else ""
    if latest is None:
        return Check("telemetry", Answer.FAIL, f"no event{where} in the store; see docs/operations.md")
    age = question.now - latest
    recent = age <= TELEMETRY_WITHIN
    sentence = f"the last event{where} is {_ago(age)} old"
    return Check("telemetry", Answer.OK if recent else Answer.FAIL, sentence)


def _latest_event(store: Store, question: Question) -> datetime | None:
    with store.snapshot() as view:
        ((latest,),) = view.rows(
            """SELECT max(ts) FROM events
            WHERE starts_with(name, 'assist.') AND (?::VARCHAR IS NULL OR environment = ?)""",
            ["production" if question.production else None] * 2,
        )
    return latest  # type: ignore[no-any-return]


def _gate_check(store: Store, question: Question) -> Check:
    with store.snapshot() as view:
        results = view.gate_results()
    if not results:
        return Check("gate", Answer.FAIL, "no run was gated; run harness baseline and harness gate")
    last = results[-1]
    age = question.now - last.ts
    fresh = age <= GATE_WITHIN
    passed = last.verdict is GateVerdict.PASS and fresh
    sentence = f"{last.verdict.value} {_ago(age)} ago, run {last.run_id}"
    return Check("gate", Answer.OK if passed else Answer.FAIL, sentence)


def _alerts_check(question: Question) -> Check:
    rules = load_rules(question.rules)
    if rules.problems:
        return Check("alerts", Answer.FAIL, rules.problems[0])
    url = question.env.get(WEBHOOK_VARIABLE, "").strip()
    if not url:
        answer = Answer.FAIL if question.production else Answer.UNKNOWN
        return Check("alerts", answer, f"{len(rules)} rules, but {WEBHOOK_VARIABLE} is not set")
    try:
        Webhook(url)
    except ConfigError as error:
        return Check("alerts", Answer.FAIL, str(error))
    try:
        with open_store(question.store_dir).snapshot() as view:
            shown = current_states(view, rules, question.now)
    except StoreError:
        shown = []
    firing = [item.found.rule.name for item in shown if item.state is AlertState.FIRING]
    if firing:
        return Check("alerts", Answer.FAIL, f"firing now: {', '.join(firing)}")
    return Check("alerts", Answer.OK, f"{len(rules)} rules, a webhook, nothing fires")


def _ago(age: timedelta) -> str:
    seconds = max(0, int(age.total_seconds()))
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def present() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)
