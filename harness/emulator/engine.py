"""The way of one request through the emulator, from its first byte to its line in the ledger."""

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime

from harness.emulator.bill import TokenBill, cost_usd, tokens_of
from harness.emulator.connection import BodyTooLargeError, Exchange, Headers, Receive, Scope, Send
from harness.emulator.draws import Draws, Occurrences, body_digest
from harness.emulator.faults import STATUS, FaultKind, FaultPlan, FaultRule, rule_from_header
from harness.emulator.ledger import Ledger, LedgerEntry
from harness.emulator.model import Pace, input_bill, pace_of, pieces_of, reply_to
from harness.emulator.prompt_cache import PromptCache
from harness.emulator.ratelimit import RequestLimiter
from harness.emulator.settings import EmulatorSettings
from harness.emulator.wire import Ask, Reply, Wire, WireError, object_in
from harness.errors import ConfigError

EMULATED: tuple[bytes, bytes] = (b"x-harness-emulated", b"1")
_NO_MODEL = Draws(seed=0, model="", digest=b"", occurrence=0)


class Engine:
    """The emulator's state: who has come before, what is cached, which faults are in force."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self.settings = settings
        self.plan = FaultPlan(settings.faults)
        self.ledger = Ledger(settings.ledger)
        self.cache = PromptCache()
        self.limiter = RequestLimiter(settings.rpm)
        self.occurrences = Occurrences()

    def draws(self, model: str, digest: bytes) -> tuple[Draws, int]:
        """The chances of the next occurrence of a body, and its number."""
        occurrence = self.occurrences.next(model.encode() + digest)
        return Draws(seed=self.settings.seed, model=model, digest=digest, occurrence=occurrence), occurrence


class Endpoint:
    """An ASGI application that serves one wire's generating route."""

    def __init__(self, engine: Engine, wire: Wire) -> None:
        self._engine = engine
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and record it, however it ends."""
        exchange = Exchange(scope, receive, send)
        ledger = self._engine.ledger
        entry = LedgerEntry(
            seq=ledger.next_seq(),
            wire=self._wire.name,
            received_at=datetime.now(UTC).isoformat(),
            received_ns=exchange.received_ns,
            call_id=next(filter(None, map(exchange.header, self._wire.call_id_headers)), None),
            run_id=exchange.header(b"x-harness-run-id"),
        )
        ledger.in_flight += 1
        try:
            await _Serving(self._engine, self._wire, exchange, entry).serve()
        except asyncio.CancelledError:
            entry.outcome = "cut"
            raise
        finally:
            entry.status = exchange.status
            entry.first_byte_ms = _ms(exchange.first_byte_ns)
            entry.finished_ms = _ms(exchange.finished_ns)
            entry.late_ms = _ms(exchange.late_ns)
            ledger.write(entry)
            ledger.in_flight -= 1


class _Serving:
    """One request being served."""

    def __init__(self, engine: Engine, wire: Wire, exchange: Exchange, entry: LedgerEntry) -> None:
        self._engine = engine
        self._wire = wire
        self._exchange = exchange
        self._entry = entry
        self._draws = _NO_MODEL
        self._limits: Headers = []

    async def serve(self) -> None:
        try:
            raw = await self._body()
            self._wire.authenticate(self._exchange.header)
            body = object_in(raw)
            digest = body_digest(body, self._exchange.header(b"x-emulate-draw") or "")
            self._draws, self._entry.occurrence = self._engine.draws(self._wire.model_in(body), digest)
            self._entry.request_id = f"req_01{self._draws.token('request id')}"
            ask = self._wire.read(body)
            rule = self._rule(ask)
        except WireError as error:
            await self._refuse(error)
            return
        self._entry.model, self._entry.stream = ask.model, ask.stream
        allowance = self._engine.limiter.take(ask.model)
        self._limits = self._wire.limit_headers(allowance)
        if allowance.retry_after_s is not None:
            wait_ms = float(math.ceil(allowance.retry_after_s * 1e3))
            await self._fail(ask, FaultRule(kind=FaultKind.RATE_LIMITED, retry_after_ms=wait_ms))
            return
        self._entry.fault = None if rule is None else str(rule.kind)
        if rule is not None and rule.kind is FaultKind.RESET:
            self._entry.outcome = "reset"
            await self._exchange.reset()
        elif rule is not None and (
            rule.kind in STATUS or (rule.kind is FaultKind.STREAM_ERROR and not ask.stream)
        ):
            await self._fail(ask, rule)
        else:
            await self._generate(ask, rule)

    async def _body(self) -> bytes:
        try:
            return await self._exchange.body()
        except BodyTooLargeError as error:
            raise WireError(413, "request_too_large", "Request exceeds the maximum size") from error

    def _rule(self, ask: Ask) -> FaultRule | None:
        asked = self._exchange.header(b"x-emulate-fault")
        if asked is None:
            struck = self._engine.plan.strike(
                model=ask.model, occurrence=self._entry.occurrence or 1, draws=self._draws
            )
            return None if struck is not None and struck.kind is FaultKind.EXPIRED else struck
        try:
            rule = rule_from_header(asked)
        except ConfigError as error:
            raise WireError(400, "invalid_request_error", str(error)) from error
        return FaultPlan((rule,)).strike(
            model=ask.model, occurrence=self._entry.occurrence or 1, draws=self._draws
        )

    async def _refuse(self, error: WireError) -> None:
        self._entry.finish = error.kind
        request_id = self._entry.request_id or f"req_01{self._entry.seq:024d}"
        headers = [*self._headers(), *self._wire.error_headers(error)]
        await self._exchange.answer(error.status, headers, self._wire.error(error, request_id))

    async def _fail(self, ask: Ask, rule: FaultRule) -> None:
        """Answer with an error status at once; nothing is billed."""
        self._entry.fault = str(rule.kind)
        shown = FaultKind.SERVER_ERROR if rule.kind is FaultKind.STREAM_ERROR else rule.kind
        error = self._wire.fault_error(shown, ask.model)
        if error.status in (429, 503, 529):
            error.retry_after_ms = rule.retry_after_ms
        await self._refuse(error)

    async def _generate(self, ask: Ask, rule: FaultRule | None) -> None:
        kind = None if rule is None else rule.kind
        given = input_bill(ask, self._wire.cached(self._engine.cache, ask))
        if given.total_input > ask.profile.context_tokens:
            most = ask.profile.context_tokens
            message = f"prompt is too long: {given.total_input} tokens > {most} maximum"
            await self._refuse(WireError(400, "invalid_request_error", message))
            return
        reply, answer = reply_to(ask, self._draws, given, self._engine.settings, kind)
        pace = pace_of(ask, self._draws, self._engine.settings)
        if rule is not None and kind is FaultKind.SLOW_FIRST_BYTE:
            pace = Pace(ttft_ms=pace.ttft_ms + rule.delay_ms, total_ms=pace.total_ms + rule.delay_ms)
        entry = self._entry
        stalled_ms = rule.delay_ms if rule is not None and kind is FaultKind.STALL else 0.0
        entry.intended_ms, entry.intended_ttft_ms = pace.total_ms + stalled_ms, pace.ttft_ms
        entry.answer, entry.defect, entry.verdict = answer.kind, answer.defect, answer.verdict
        entry.finish, entry.response_id = self._wire.finish_word(reply.finish), reply.id
        deliver = self._stream if ask.stream else self._whole
        said_share = await deliver(ask, reply, pace, rule)
        self._charge(ask, reply.bill, reply.text, said_share)

    async def _whole(self, ask: Ask, reply: Reply, pace: Pace, rule: FaultRule | None) -> float:
        kind = None if rule is None else rule.kind
        body = self._wire.whole(ask, reply)
        if kind is FaultKind.MALFORMED_BODY:
            body = body[: len(body) // 2]
        extra_ms = rule.delay_ms if rule is not None and kind is FaultKind.STALL else 0.0
        await self._exchange.sleep_until(pace.total_ms + extra_ms)
        if rule is not None and kind is FaultKind.CUT:
            length = (b"content-length", b"%d" % len(body))
            await self._exchange.start(
                200, [(b"content-type", b"application/json"), length, *self._headers()]
            )
            await self._exchange.write(body[: int(len(body) * rule.after_share)])
            await self._exchange.cut()
            self._entry.outcome = "cut"
            return 1.0
        gone = self._exchange.client_gone
        await self._exchange.answer(200, self._headers(), body)
        self._entry.outcome = "disconnected" if gone else "ok"
        return 1.0

    async def _stream(self, ask: Ask, reply: Reply, pace: Pace, rule: FaultRule | None) -> float:
        """Send the frames at their absolute times; returns the share of the answer that left."""
        pieces = pieces_of(reply.text, self._engine.settings.chunks)
        if len(pieces) == 1:
            pieces.append("")  # so that a fault in mid-stream has a middle
        frames = self._wire.frames(ask, reply, pieces)
        share = 1.0 if rule is None else rule.after_share
        broken_at = min(len(frames) - 1, max(1, int(len(frames) * share)))
        kind = None if rule is None else rule.kind
        extra_ms = 0.0
        for index, frame in enumerate(frames):
            if rule is not None and index == broken_at:
                extra_ms, ended = await self._break(rule, ask, reply)
                if ended:
                    return index / len(frames)
            await self._exchange.sleep_until(pace.at(index, len(frames)) + extra_ms)
            if self._exchange.client_gone:
                self._entry.outcome = "disconnected"
                return index / len(frames)
            if index == 0:
                head = [(b"content-type", self._wire.stream_type), (b"cache-control", b"no-cache")]
                await self._exchange.start(200, [*head, *self._headers()])
            garbles = kind is FaultKind.MALFORMED_BODY and index == len(frames) // 2
            piece = self._wire.garbled(frame) if garbles else frame
            await self._exchange.write(piece, last=index == len(frames) - 1)
        self._entry.outcome = "ok"
        return 1.0

    async def _break(self, rule: FaultRule, ask: Ask, reply: Reply) -> tuple[float, bool]:
        """What a fault does in mid-stream: a delay for the rest, and whether the stream ends here."""
        match rule.kind:
            case FaultKind.STALL:
                return rule.delay_ms, False
            case FaultKind.CUT:
                self._entry.outcome = "cut"
                await self._exchange.cut()
                return 0.0, True
            case FaultKind.STREAM_ERROR:
                self._entry.outcome = "error"
                await self._exchange.write(self._wire.error_frame(ask, reply), last=True)
                return 0.0, True
            case _:
                return 0.0, False

    def _charge(self, ask: Ask, bill: TokenBill, text: str, said_share: float) -> None:
        if said_share < 1:
            said = tokens_of(len(text[: int(len(text) * said_share)].encode()))
            bill = replace(bill, output=bill.reasoning + said)
        self._entry.charge(bill, cost_usd(ask.profile, bill))

    def _headers(self) -> Headers:
        request_id = (self._entry.request_id or f"req_01{self._entry.seq:024d}").encode()
        name = self._wire.request_id_header
        return [EMULATED, *([] if name is None else [(name, request_id)]), *self._limits]


def _ms(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e6
