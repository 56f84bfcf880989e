"""How far a recorded evaluation came: what is finished, what it paid, and what may have been paid unseen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from harness.evaluation.filing import CUT_EVENT, STARTED_EVENT
from harness.evaluation.judging.state import JudgementInDoubt, judged_answers, judgements_in_doubt
from harness.evaluation.plan import Key
from harness.records import Call, CallOutcome, load_json_exact


class View(Protocol):
    """What is asked of a snapshot of the store."""

    def dicts(self, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows by column name."""
        ...

    def calls(self, run_id: str) -> list[Call]:
        """A run's attempts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """A case that was begun and never finished: its calls may have been paid, and it is asked again."""

    request_id: str
    strategy: str
    case_id: str
    repeat: int
    reserved_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands.

    Attributes:
        finished: units whose records are durable; they are never asked again.
        generations: how often each unit was begun.
        recorded_usd: what recorded calls cost, those of unknown usage at their reservation.
        in_doubt: begun, without an end of any kind.
        judging_in_doubt: the same of questions to judges.
        judged: by strategy, how many of its answers a judge has looked at.
    """

    finished: frozenset[Key] = frozenset()
    generations: Mapping[Key, int] = field(default_factory=dict)
    recorded_usd: Decimal = Decimal(0)
    in_doubt: tuple[InDoubt, ...] = ()
    judging_in_doubt: tuple[JudgementInDoubt, ...] = ()
    judged: Mapping[str, int] = field(default_factory=dict)

    @property
    def committed_usd(self) -> Decimal:
        """What counts against the budget: recorded, and the worst case of what is in doubt."""
        cases = sum((case.reserved_usd for case in self.in_doubt), Decimal(0))
        judgements = sum((asked.reserved_usd for asked in self.judging_in_doubt), Decimal(0))
        return self.recorded_usd + cases + judgements


def read_progress(view: View, run_id: str) -> Progress:
    """The progress of a run, from its requests, calls and events.

    Args:
        view: a snapshot of the store, live records included.
        run_id: of an evaluation.
    """
    rows = view.dicts("SELECT request_id, strategy, case_id, repeat FROM requests WHERE run_id = ?", [run_id])
    ended = {row["request_id"] for row in rows}
    events = view.dicts(
        "SELECT name, request_id, payload FROM events WHERE run_id = ? AND name IN (?, ?) ORDER BY ts",
        [run_id, STARTED_EVENT, CUT_EVENT],
    )
    cut = {event["request_id"] for event in events if event["name"] == CUT_EVENT}
    generations: dict[Key, int] = {}
    in_doubt = []
    for event in events:
        if event["name"] != STARTED_EVENT:
            continue
        told = load_json_exact(event["payload"])
        key = (str(told["strategy"]), str(told["case_id"]), int(told["repeat"]))
        generations[key] = max(generations.get(key, 0), int(told["generation"]))
        if event["request_id"] not in ended | cut:
            in_doubt.append(
                InDoubt(
                    request_id=event["request_id"],
                    strategy=key[0],
                    case_id=key[1],
                    repeat=key[2],
                    reserved_usd=Decimal(str(told["reserved_usd"])),
                )
            )
    doubted = {case.request_id for case in in_doubt}
    calls = [call for call in view.calls(run_id) if call.request_id not in doubted]
    return Progress(
        finished=frozenset((row["strategy"], row["case_id"], row["repeat"]) for row in rows),
        generations=generations,
        recorded_usd=sum((_booked(call) for call in calls), Decimal(0)),
        in_doubt=tuple(in_doubt),
        judging_in_doubt=judgements_in_doubt(view, run_id),
        judged=judged_answers(view, run_id),
    )


def _booked(call: Call) -> Decimal:
    if call.outcome is CallOutcome.REFUSED:
        return Decimal(0)
    if call.cost_usd is not None:
        return call.cost_usd
    return call.cost_reserved_usd or Decimal(0)
