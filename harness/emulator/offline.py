"""Requests served without a connection of their own: the items of a batch, at half price."""

import time
from datetime import UTC, datetime
from typing import Any

import orjson

from harness.emulator.bill import cost_usd
from harness.emulator.draws import body_digest
from harness.emulator.engine import Engine
from harness.emulator.faults import SPOILING, STATUS, FaultKind
from harness.emulator.ledger import LedgerEntry
from harness.emulator.model import input_bill, reply_to
from harness.emulator.prompt_cache import CacheShare
from harness.emulator.wire import Ask, Wire, WireError

EXPIRED_STATUS = 0
"""In place of an HTTP status: the item was not answered before its batch ran out of time."""


def answer_offline(
    engine: Engine, wire: Wire, body: dict[str, Any], call_id: str, *, caches: bool
) -> tuple[int, bytes, str]:
    """Serve one batch item now.

    Args:
        engine: the emulator's state.
        wire: the item's wire format.
        body: its request body.
        call_id: recorded in the ledger, as the client's call id.
        caches: prompt caches serve batches of this provider.

    Returns:
        HTTP status, body, and the request id; `EXPIRED_STATUS` without either for an expired item.
    """
    entry = LedgerEntry(
        seq=engine.ledger.next_seq(),
        wire=f"{wire.name}.batch",
        received_at=datetime.now(UTC).isoformat(),
        received_ns=time.perf_counter_ns(),
        call_id=call_id,
    )
    try:
        return _answer(engine, wire, body, entry, caches=caches)
    except WireError as error:
        entry.status, entry.finish = error.status, error.kind
        request_id = entry.request_id or ""
        return error.status, wire.error(error, request_id), request_id
    finally:
        engine.ledger.write(entry)


def _answer(
    engine: Engine, wire: Wire, body: dict[str, Any], entry: LedgerEntry, *, caches: bool
) -> tuple[int, bytes, str]:
    draws, entry.occurrence = engine.draws(str(body.get("model")), body_digest(body))
    request_id = entry.request_id = f"req_01{draws.token('request id')}"
    ask: Ask = wire.read(body)
    if ask.stream:
        raise WireError(400, "invalid_request_error", "stream is not supported in batches", param="stream")
    entry.model = ask.model
    rule = engine.plan.strike(model=ask.model, occurrence=entry.occurrence, draws=draws)
    if rule is not None and rule.kind not in STATUS and rule.kind not in (*SPOILING, FaultKind.EXPIRED):
        rule = None  # a batch has no connection to break
    entry.fault = None if rule is None else str(rule.kind)
    if rule is not None and rule.kind is FaultKind.EXPIRED:
        entry.finish = "expired"
        return EXPIRED_STATUS, b"", ""
    if rule is not None and rule.kind in STATUS:
        raise wire.fault_error(rule.kind, ask.model)
    given = input_bill(ask, wire.cached(engine.cache, ask) if caches else CacheShare())
    reply, answer = reply_to(ask, draws, given, engine.settings, None if rule is None else rule.kind)
    entry.status, entry.outcome = 200, "ok"
    entry.answer, entry.defect, entry.verdict = answer.kind, answer.defect, answer.verdict
    entry.finish, entry.response_id = wire.finish_word(reply.finish), reply.id
    entry.charge(reply.bill, cost_usd(ask.profile, reply.bill, batch=True))
    return 200, _with_tier(wire.whole(ask, reply)), request_id


def _with_tier(body: bytes) -> bytes:
    """The answer marked as a batch's, where its usage says at which tier it was served."""
    value = orjson.loads(body)
    if "service_tier" in (value.get("usage") or {}):
        value["usage"]["service_tier"] = "batch"
    return orjson.dumps(value)
