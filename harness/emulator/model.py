"""One model at work: what it answers to an ask, what it bills, and how long it takes."""

import itertools
import time
from dataclasses import dataclass, replace

from harness.emulator.answers import Answer, Behaviour, respond
from harness.emulator.bill import BYTES_PER_TOKEN, MESSAGE_OVERHEAD_TOKENS, TokenBill, tokens_of
from harness.emulator.draws import Draws
from harness.emulator.faults import FaultKind
from harness.emulator.prompt_cache import CacheShare
from harness.emulator.settings import EmulatorSettings
from harness.emulator.wire import Ask, Reply

TRUNCATED_SHARE = 0.4
MAX_TTFT_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """When the answer comes, milliseconds from the request's arrival.

    Attributes:
        ttft_ms: the first token.
        total_ms: the last.
    """

    ttft_ms: float
    total_ms: float

    def at(self, piece: int, pieces: int) -> float:
        """When a piece is due: evenly from the first token to the last; one alone at the end."""
        if pieces <= 1:
            return self.total_ms
        return self.ttft_ms + (self.total_ms - self.ttft_ms) * piece / (pieces - 1)


def pace_of(ask: Ask, draws: Draws, settings: EmulatorSettings) -> Pace:
    """The drawn latency, scaled by the speed; the time to first token is a drawn share of it."""
    curve = settings.curve(ask.model, ask.profile)
    total_ms = curve.quantile_ms(draws.uniform("latency")) / settings.speed
    share = min(MAX_TTFT_SHARE, ask.profile.ttft_share * (0.6 + 0.8 * draws.uniform("ttft")))
    return Pace(ttft_ms=total_ms * share, total_ms=total_ms)


def input_bill(ask: Ask, share: CacheShare) -> TokenBill:
    """Input tokens of an ask: a quarter of its bytes, and a few for each message."""
    size_bytes = sum(len(block.text.encode()) for block in ask.blocks)
    total = tokens_of(size_bytes) + MESSAGE_OVERHEAD_TOKENS * ask.messages
    return TokenBill(
        uncached_input=total - share.read - share.write_5m - share.write_1h,
        cache_read=share.read,
        cache_write_5m=share.write_5m,
        cache_write_1h=share.write_1h,
    )


def reply_to(
    ask: Ask, draws: Draws, given: TokenBill, settings: EmulatorSettings, fault: FaultKind | None
) -> tuple[Reply, Answer]:
    """What the model says, within the ask's limits and spoilt by the fault, with its whole bill."""
    behaviour = Behaviour(
        quality=ask.profile.quality,
        defect_rate=ask.profile.defect_rate if settings.defect_rate is None else settings.defect_rate,
        repair_success=ask.profile.repair_success,
        leanings=settings.judge,
    )
    answer = respond(ask.question, behaviour, draws)
    text, finish = _spoilt(answer.text, fault)
    if ask.tool and finish == "stop":
        finish = "tool"
    stop_sequence = next((stop for stop in ask.stop if stop and stop in text), None)
    if stop_sequence is not None and not ask.tool:
        text, finish = text[: text.index(stop_sequence)], "stop_sequence"
    reasoning = _reasoning_tokens(ask, draws, text)
    limit = ask.max_tokens if ask.max_tokens is not None else ask.profile.max_output_tokens
    if reasoning >= limit:
        text, finish, reasoning = "", "length", limit
    elif reasoning + tokens_of(len(text.encode())) > limit:
        text, finish = _first_tokens(text, limit - reasoning), "length"
    output = reasoning + tokens_of(len(text.encode()))
    reply = Reply(
        id=draws.token("response"),
        text=text,
        finish=finish,
        bill=replace(given, output=output, reasoning=reasoning),
        created_s=int(time.time()),
        stop_sequence=stop_sequence if finish == "stop_sequence" else None,
    )
    return reply, answer


def pieces_of(text: str, most: int) -> list[str]:
    """The text in at most `most` pieces of about equal length; they join to the text."""
    count = max(1, min(most, tokens_of(len(text))))
    marks = [len(text) * index // count for index in range(count + 1)]
    return [text[start:end] for start, end in itertools.pairwise(marks)]


def _spoilt(text: str, fault: FaultKind | None) -> tuple[str, str]:
    if fault is FaultKind.EMPTY:
        return "", "stop"
    if fault in (FaultKind.REFUSAL, FaultKind.CONTENT_FILTER):
        return "", str(fault)
    if fault is FaultKind.TRUNCATED:
        return text[: int(len(text) * TRUNCATED_SHARE)], "length"
    if fault is FaultKind.MALFORMED_JSON:
        return text[: len(text) * 2 // 3] + ',,"oops', "stop"
    if fault is FaultKind.WRONG_SCHEMA:
        return '{"answer":"Here is what you asked for.","items":[1,2,3]}', "stop"
    return text, "stop"


def _reasoning_tokens(ask: Ask, draws: Draws, text: str) -> int:
    if not ask.profile.reasoning_share or ask.effort in ("none", "minimal"):
        return 0
    typical = ask.profile.reasoning_share * tokens_of(len(text.encode()))
    return int(64 * round(typical * (0.5 + draws.uniform("reasoning")) / 64))


def _first_tokens(text: str, tokens: int) -> str:
    return text.encode()[: tokens * BYTES_PER_TOKEN].decode(errors="ignore")
