"""Before the first request: is the target there, may it be loaded, what will it tell, what may it cost?"""

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

from harness import addresses
from harness.addresses import request_target, shown
from harness.clock import SYSTEM_CLOCK
from harness.errors import TargetError
from harness.load.answer import Answer
from harness.load.bound import Parcel
from harness.load.exchange import Exchange
from harness.load.message import RequestLine
from harness.load.plan import LoadPlan
from harness.load.scenario.model import Check, Scenario
from harness.providers.reading.events import MOST_BODY_BYTES
from harness.providers.reading.excerpts import excerpt
from harness.records import ProviderMode, RequestStatus, load_json_exact

HEALTH_TIMEOUT_S = 10.0
MAX_HEALTH_BYTES = 65_536
PASSING_STATUSES = (408, 429)
"""A target that answers so may be busy, not broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What `/healthz` says; None where it does not say."""

    provider: str | None
    repair_provider: str | None
    provider_mode: ProviderMode | None
    environment: str | None
    cost_max_usd: Decimal | None


NO_HEALTH = Health(
    provider=None, repair_provider=None, provider_mode=None, environment=None, cost_max_usd=None
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """The one request before the run, with its times (monotonic nanoseconds; wall is a label)."""

    answer: Answer
    request_id: str
    case_id: str
    sent_ns: int
    done_ns: int
    wall: datetime


def is_loopback(target: str) -> bool:
    """True when the target is this machine."""
    return addresses.is_loopback(urlsplit(target).hostname or "")


def check_permission(target: str, *, allowed: bool) -> None:
    """Refuse to load another machine unless that was asked for on purpose.

    Raises:
        TargetError: not loopback, and neither confirmed nor bounded.
    """
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetError(f"the target must be an http or https URL, not '{shown(target)[:80]}'")
    if not is_loopback(target) and not allowed:
        raise TargetError(
            f"{shown(target)} is another machine: confirm with --yes, or bound the run with --max-requests"
        )


SERVICE_CHECK = Check(path="/healthz", statuses=(200,), is_service=True)


def check_health(target: str, headers: Mapping[str, str], check: Check = SERVICE_CHECK) -> Health:
    """Ask whether the target is well, as its scenario says.

    Returns:
        What a service of ours says of itself; nothing of any other.

    Raises:
        TargetError: no answer, another status, or not the JSON of a service.
    """
    called = f"{shown(target)}{check.path}"
    try:
        status, body = fetch(target, check.path, headers, timeout_s=HEALTH_TIMEOUT_S)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TargetError(f"{called} does not answer ({type(error).__name__}: {error})") from error
    if check.statuses is not None and status not in check.statuses:
        wanted = "" if check.statuses == (200,) else f", not {' or '.join(map(str, check.statuses))}"
        raise TargetError(f"{called} answers {status}{wanted}")
    if not check.is_service:
        return NO_HEALTH
    try:
        fields = load_json_exact(body)
    except (ValueError, RecursionError) as error:
        raise TargetError(f"{called} does not answer with JSON") from error
    if not isinstance(fields, dict):
        raise TargetError(f"{called} does not answer with a JSON object")
    if fields.get("ok") is False:
        raise TargetError(f"{called} says that the service is not well")
    return Health(
        provider=_text(fields.get("provider")),
        repair_provider=_text(fields.get("repair_provider")),
        provider_mode=_mode(fields.get("provider_mode")) or _fixtures(fields),
        environment=_text(fields.get("environment")),
        cost_max_usd=_usd(fields.get("cost_max_usd")),
    )


def fetch(target: str, path: str, headers: Mapping[str, str], *, timeout_s: float) -> tuple[int, bytes]:
    """Status and at most the first 64 KB that a target answers to GET.

    Raises:
        OSError, http.client.HTTPException: it does not answer.
    """
    connection = _connection(urlsplit(target), timeout_s)
    try:
        connection.request("GET", request_target(target, path), headers=dict(headers))
        response = connection.getresponse()
        return response.status, response.read(MAX_HEALTH_BYTES)
    finally:
        connection.close()


def refuse_fixtures(health: Health, warm_up: WarmUp | None, *, allowed: bool) -> None:
    """Refuse a target that answers from fixtures, at either role.

    Raises:
        TargetError: fixtures serve, and nobody allowed it.
    """
    told = warm_up.answer.columns if warm_up is not None else {}
    roles = {
        "draft": "fixtures" in (health.provider, told.get("draft_source")),
        "repair": "fixtures" in (health.repair_provider, told.get("repair_source")),
    }
    modes = (health.provider_mode, told.get("provider_mode"))
    if allowed or not (any(roles.values()) or ProviderMode.FIXTURES in modes):
        return
    which = " and ".join(role for role, fixtures in roles.items() if fixtures) or "provider"
    raise TargetError(
        f"the target answers from fixtures ({which}): its figures would say nothing about a provider; "
        "--allow-fixtures measures it anyway"
    )


def warm_up(plan: LoadPlan, exchange: Exchange, parcel: Parcel) -> WarmUp:
    """One request, stored and marked, so that no connection, cache or import is measured as the first.

    Raises:
        TargetError: it was not answered well; a baseline would only repeat that.
    """
    request_id = f"{plan.request_prefix}-warmup"
    sender = PlainSender(plan.target, timeout_s=plan.timeout_s)
    wall = SYSTEM_CLOCK.now()
    sent_ns = time.perf_counter_ns()
    answer = exchange.perform(sender, request_id, parcel)
    done_ns = answer.done_ns or time.perf_counter_ns()
    sender.close()
    return WarmUp(
        answer=answer,
        request_id=request_id,
        case_id=parcel.case.case_id,
        sent_ns=sent_ns,
        done_ns=done_ns,
        wall=wall,
    )


def check_warm_up(warm: WarmUp, secrets: tuple[str, ...] = ()) -> str | None:
    """Refuse a target that cannot be asked at all; a passing failure is a remark.

    Args:
        warm: the warm-up.
        secrets: values to mask in what the target said.

    Returns:
        What went wrong where the load may show more (5xx, 429, a cut answer); None when nothing did.

    Raises:
        TargetError: nothing answered, or the request itself is refused (401, 404, ...).
    """
    answer = warm.answer
    if answer.status is RequestStatus.OK:
        return None
    text = excerpt(answer.error_text or "", secrets)
    sentence = (
        f"the warm-up request failed ({answer.http_status or 'no answer'}, {answer.error_kind}): {text}"
    )
    refused = answer.http_status is None or (
        400 <= answer.http_status < 500 and answer.http_status not in PASSING_STATUSES
    )
    if refused:
        raise TargetError(sentence)
    return sentence


def empty_columns(warm: WarmUp, scenario: Scenario) -> list[str]:
    """Sentences saying which columns will stay empty, and why; none when the warm-up could not tell."""
    if warm.answer.status is not RequestStatus.OK:
        return []
    told = warm.answer.columns
    has_event = any(step.answer.completed_event for step in scenario.steps)
    sentences = []
    if has_event and warm.answer.telemetry_missing:
        sentences.append(
            "cost, provider, tier and tokens stay empty: the target sends no X-Assist-Telemetry "
            "(fill them later with `harness ingest FILE --join RUN`)"
        )
    elif warm.answer.telemetry_broken:
        sentences.append("some of cost, provider and tier stay empty: the target's telemetry is broken")
    elif has_event and told.get("cost_usd") is None:
        sentences.append("cost stays empty: the target's telemetry has none (a model without a price?)")
    elif not has_event:
        sentences += _untold(told)
    if has_event and "stages_ms" not in told:
        sentences.append("stages stay empty: the target sends no Server-Timing")
    if warm.answer.first_token_ns is None:
        sentences.append("time to first token stays empty: the answer is not streamed")
    return sentences


def _untold(told: Mapping[str, Any]) -> list[str]:
    """What a service of any other kind does not tell."""
    sentences = []
    if told.get("cost_usd") is None:
        sentences.append(f"cost stays empty: {told.get('unpriced_because', 'nothing tells it')}")
    if told.get("draft_source") is None:
        sentences.append("provider stays empty: neither the scenario nor the answer names one")
    if told.get("provider_mode") is None:
        sentences.append(
            "whether the figures are live is unknown: the scenario says no `mode` for this target"
        )
    return sentences


def spend_ceiling_usd(requests: int | None, health: Health) -> Decimal | None:
    """The most that the run can cost: requests times the target's own limit; None when unknown."""
    if requests is None or health.cost_max_usd is None:
        return None
    return health.cost_max_usd * requests


class PlainSender:
    """Sends with the standard library: preflight needs no speed, and must not import gevent."""

    def __init__(self, target: str, *, timeout_s: float) -> None:
        self._connection = _connection(urlsplit(target), timeout_s)
        self._target = target

    def send(self, line: RequestLine, request_id: str, body: bytes | None) -> "PlainResponse":
        """Send, and return when the headers are in."""
        headers = {**dict(line.headers), "X-Request-Id": request_id}
        path = request_target(self._target, line.path)
        self._connection.request(line.method, path, body=body, headers=headers)
        return PlainResponse(self._connection.getresponse())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class PlainResponse:
    """The standard library's response, as an exchange reads it."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self._response.status

    def get(self, key: str, default: str | None = None) -> str | None:
        """A header, by any case."""
        return self._response.getheader(key, default)

    def read(self, length: int | None = None) -> bytes:
        """The body."""
        return self._response.read(MOST_BODY_BYTES if length is None else length)

    def piece(self) -> bytes:
        """What has arrived; empty at the end."""
        return self._response.read1(MOST_BODY_BYTES)

    def readline(self, sep: bytes = b"\n") -> bytes:
        """The next line; empty at the end."""
        if sep != b"\n":
            raise ValueError("lines end at a line feed")
        return self._response.readline(MOST_BODY_BYTES)


def _connection(parts: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            host, port, timeout=timeout_s, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(host, port, timeout=timeout_s)


def _text(value: Any) -> str | None:
    return value[:200] if isinstance(value, str) else None


def _fixtures(fields: Mapping[str, Any]) -> ProviderMode | None:
    """A service that names `fixtures` as a provider answers from them, whether or not it tells its mode."""
    named = "fixtures" in (fields.get("provider"), fields.get("repair_provider"))
    return ProviderMode.FIXTURES if named else None


def _mode(value: Any) -> ProviderMode | None:
    return ProviderMode(value) if value in set(ProviderMode) else None


def _usd(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        amount = Decimal(value)
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
