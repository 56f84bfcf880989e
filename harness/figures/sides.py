"""What can be compared with what: one run and one strategy a side, and one function that says what differs.

Every comparing surface asks here: the gate's baseline, `compare`, savings, frontier, the dashboard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.errors import UsageError
from harness.figures.selection import Rows, Selection
from harness.figures.tags import Tag, require_tags
from harness.records import EndSummary, ImportConfig, ProviderMode, RunConfig, RunKind, RunStatus
from harness.records.told_by_tool import ToldByTool, told_by
from harness.store import Snapshot
from harness.store.database.typed import StoredRun

MODE_ORDER = ("live", "emulated", "fixtures", "unknown", "mixed")
"""Live if there is any, else emulated; unknown and mixed come last."""

KIND_ORDER = ("baseline", "eval", "service", "ingest")
"""The measured kinds first."""

_UNFINISHED = {
    RunStatus.TRUNCATED: "TRUNCATED: the budget ended the run before its last case",
    RunStatus.INTERRUPTED: "INTERRUPTED: the run did not reach its end",
    RunStatus.RUNNING: "STILL RUNNING: figures so far",
    RunStatus.FAILED: "FAILED: the run did not reach its end",
}


@dataclass(frozen=True, kw_only=True)
class Side:
    """The requests of one run and one strategy.

    Attributes:
        run: the stored run, or the one of a report file.
        strategy: None where the run names none, or where it is asked as a whole.
        rows: its counted requests.
        model: provider/model of the drafts, where the run is looked at by model.
    """

    run: StoredRun
    strategy: str | None
    rows: Rows
    model: str | None = None

    @property
    def way(self) -> str | None:
        """What answered: the model where it is looked at by model, else the strategy."""
        return self.model or self.strategy

    @property
    def label(self) -> str:
        """The run's name, the strategy or model where there is one, and the tags it is narrowed to."""
        name = f"{self.run.name}: {self.way}" if self.way else self.run.name
        return f"{name} ({self.tagged})" if self.tagged else name

    @property
    def tagged(self) -> str | None:
        """The tags that it is narrowed to, as `plan=pro`; None for a whole."""
        return ", ".join(f"{name}={value}" for name, value in self.rows.selection.tags) or None

    @cached_property
    def strategies(self) -> tuple[str, ...]:
        """The strategies that its requests name."""
        found = self.rows.rows("SELECT DISTINCT strategy FROM counted WHERE strategy IS NOT NULL ORDER BY 1")
        return tuple(name for (name,) in found)

    @cached_property
    def mode(self) -> ProviderMode | None:
        """What answered; None is unknown."""
        return mode_of(self.rows, self.run)

    @property
    def speed(self) -> float:
        """What emulated latencies were divided by; 1 for their own pace."""
        return RunConfig.read(self.run.config).emulator_speed or 1.0

    @cached_property
    def ended(self) -> EndSummary:
        """What the run told as it ended."""
        return EndSummary.read(self.run.summary)

    @property
    def latency_begins(self) -> str:
        """Where a latency begins: at the intended start (`schedule`) or at the `send`."""
        own = "schedule" if self.run.kind is RunKind.BASELINE else "send"
        imported = ImportConfig.read(self.run.config).imported or {}
        return str(imported.get("latency_begins") or own)

    @property
    def told(self) -> ToldByTool | None:
        """What another tool told of the run; None for one of our own."""
        return told_by(self.run.summary)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Why the figures are not those of a whole, sound run of our own; empty when they are."""
        said = []
        imported = ImportConfig.read(self.run.config).imported
        if imported is not None:
            by = imported.get("tool")
            said.append(f"IMPORTED: recorded {f'by {by}' if by else 'elsewhere'}, not measured here")
        if self.run.status in _UNFINISHED:
            said.append(_UNFINISHED[self.run.status])
        if self.model is not None:
            said.append(
                "BY MODEL: nobody drew which model got which request; they may have met other questions"
            )
        if self.ended.suspicion is not None:
            said.append(f"SUSPECT: {self.ended.suspicion}")
        return tuple(said)


def whole_side(
    view: Snapshot, run: StoredRun, selection: Selection | None = None, *, tags: Sequence[Tag] = ()
) -> Side:
    """All of a run as one side; its strategy where it has a single one.

    Args:
        view: the store, or a report file.
        run: whose requests.
        selection: further narrowing; its `run_ids` are set here.
        tags: narrow it to these, which must be there.

    Raises:
        UsageError: the run's requests have no such tag or value; says which they have.
    """
    chosen = replace(selection or Selection(), run_ids=(run.run_id,))
    if tags:
        require_tags(Rows(view, chosen), (), tags)
        chosen = replace(chosen, tags=tuple(tags))
    rows = Rows(view, chosen)
    whole = Side(run=run, strategy=None, rows=rows)
    return replace(whole, strategy=whole.strategies[0]) if len(whole.strategies) == 1 else whole


def strategy_side(view: Snapshot, run: StoredRun, strategy: str, *, tags: Sequence[Tag] = ()) -> Side:
    """The requests of one strategy of a run; `tags` as in `whole_side`.

    Raises:
        UsageError: the run has no such strategy or tag; says which it has.
    """
    whole = whole_side(view, run, tags=tags)
    if strategy not in whole.strategies:
        there = f"its strategies are {', '.join(whole.strategies)}" if whole.strategies else "it names none"
        raise UsageError(f"run {run.name} has no strategy '{strategy}'; {there}")
    return replace(whole, strategy=strategy, rows=Rows(view, whole.rows.selection.of_strategy(strategy)))


def sides_of(view: Snapshot, run: StoredRun, *, selection: Selection | None = None) -> tuple[Side, ...]:
    """The sides of a run: one for each strategy, in the order of the run's configuration, else by name.

    A failed request tells no strategy of its own: in a run of a single strategy it belongs to that one.

    Args:
        view: the store, or a report file.
        run: whose requests.
        selection: further narrowing (cases, providers); its `run_ids` and `strategies` are set here.
    """
    whole = replace(selection or Selection(), run_ids=(run.run_id,))
    rows = Rows(view, whole)
    found = [name for (name,) in rows.rows("SELECT DISTINCT strategy FROM counted ORDER BY strategy")]
    named = [name for name in found if name is not None]
    if len(named) < 2:
        return (Side(run=run, strategy=named[0] if named else None, rows=rows),) if rows.n else ()
    listed = RunConfig.read(run.config).strategies
    place = {name: index for index, name in enumerate(listed)}
    ordered = sorted(named, key=lambda name: (place.get(name, len(place)), name))
    return tuple(
        Side(run=run, strategy=name, rows=Rows(view, replace(whole, strategies=(name,)))) for name in ordered
    )


def sides_by_model(view: Snapshot, run: StoredRun, *, selection: Selection | None = None) -> tuple[Side, ...]:
    """A run's requests by the model of their drafts, most requests first: models inside production traffic.

    Requests that tell no model belong to none.

    Args:
        view: the store, or a report file.
        run: whose requests.
        selection: further narrowing; its `run_ids` and those of the draft are set here.
    """
    whole = replace(selection or Selection(), run_ids=(run.run_id,))
    found = Rows(view, whole).rows(
        """SELECT draft_source, draft_model FROM counted
        WHERE draft_source IS NOT NULL AND draft_model IS NOT NULL
        GROUP BY draft_source, draft_model ORDER BY count(*) DESC, draft_source, draft_model"""
    )
    return tuple(
        Side(
            run=run,
            strategy=None,
            model=f"{provider}/{model}",
            rows=Rows(view, replace(whole, draft_providers=(provider,), draft_models=(model,))),
        )
        for provider, model in found
    )


def mode_of(rows: Rows, run: StoredRun | None = None) -> ProviderMode | None:
    """What answered: the one mode of the answers, `mixed` for several; None is unknown.

    An answer that does not say counts as the run's own mode, and as unknown where that is: other answers'
    modes do not stand for it. A failure that does not say says nothing.
    """
    own = "mode"
    if run is not None:
        own = f"CASE WHEN status = 'ok' THEN '{mode_name(run.provider_mode)}' END"
    found = rows.rows(
        f"""SELECT DISTINCT CASE WHEN 'fixtures' IN (coalesce(draft_source, ''), coalesce(repair_source, ''))
            THEN 'fixtures' ELSE coalesce(provider_mode, {own}) END FROM counted"""  # noqa: S608 - an enum's value
    )
    modes = {mode for (mode,) in found if mode is not None}
    if not modes:
        return run.provider_mode if run is not None else None
    known = modes - {"unknown"}
    if len(known) > 1:
        return ProviderMode.MIXED
    return ProviderMode(modes.pop()) if len(modes) == 1 and known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparability:
    """What stands between two sides.

    Attributes:
        refused: why no figure of the two may be compared; None when some may.
        latency: why their latencies may not; None when they may.
        cautions: what must be said beside the figures.
    """

    refused: str | None = None
    latency: str | None = None
    cautions: tuple[str, ...] = ()


def comparability(a: Side, b: Side) -> Comparability:
    """What may be compared between two sides, and what must be said."""
    cautions = [f"{side.label}: {said}" for side in (a, b) for said in side.cautions]
    if not a.rows.n or not b.rows.n:
        empty = a if not a.rows.n else b
        alone = f": {empty.told.tool} told aggregates alone" if empty.told else ""
        return Comparability(refused=f"{empty.label} has no requests{alone}", cautions=tuple(cautions))
    if a.mode is not b.mode:
        modes = " providers, B by ".join(mode_name(side.mode) for side in (a, b))
        return Comparability(refused=f"A was answered by {modes} ones", cautions=tuple(cautions))
    mixed = next((side for side in (a, b) if side.way is None and len(side.strategies) > 1), None)
    if mixed is not None:
        refused = f"{mixed.label} holds {len(mixed.strategies)} strategies: choose one of them"
        return Comparability(refused=refused, cautions=tuple(cautions))
    latency = None
    if a.speed != b.speed:
        latency = f"latencies are emulated at x{a.speed:g} in A and x{b.speed:g} in B"
    elif a.rows.clock != b.rows.clock:
        latency = f"A's latencies are {a.rows.clock}-side, B's {b.rows.clock}-side"
    elif a.run.kind is not b.run.kind:
        latency = f"A is of kind {a.run.kind.value}, B of {b.run.kind.value}: their latencies begin elsewhere"
    elif a.latency_begins != b.latency_begins:
        latency = f"A's latencies begin at the {a.latency_begins}, B's at the {b.latency_begins}"
    if a.run.kind is not b.run.kind and not latency:
        cautions.append(f"A is of kind {a.run.kind.value}, B of {b.run.kind.value}")
    if a.run.target != b.run.target:
        cautions.append(f"the targets differ: {a.run.target or 'unknown'} and {b.run.target or 'unknown'}")
    return Comparability(latency=latency, cautions=tuple(dict.fromkeys(cautions)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A side that is not judged, and why."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """Sides that may stand side by side.

    Attributes:
        mode: what answered all of them; None is unknown.
        speed: what emulated latencies were divided by, the same for all; 1 for their own pace.
        sides: each under the name that tells it from the others.
        left_out: the others, each with its reason.
    """

    mode: ProviderMode | None
    kind: RunKind | None
    speed: float
    sides: tuple[tuple[str, Side], ...]
    left_out: tuple[LeftOut, ...]

    @property
    def cautions(self) -> tuple[str, ...]:
        """What must be said of the sides' runs, once a run."""
        said = [f"{side.run.name}: {caution}" for _, side in self.sides for caution in side.cautions]
        return tuple(dict.fromkeys(said))


def comparable_sides(sides: Sequence[Side], names: Sequence[str] | None = None) -> Comparable:
    """The sides of the best provider mode there is: live, else emulated, else what remains.

    Within it one kind of run and one emulator speed, since latencies of others stand on another clock.

    Args:
        sides: of any runs.
        names: of the sides; None makes the shortest that tell them apart.
    """
    named = list(zip(names if names is not None else side_names(sides), sides, strict=True))
    left_out = [LeftOut(name=name, reason="no requests") for name, side in named if not side.rows.n]
    kept = [(name, side) for name, side in named if side.rows.n]
    if not kept:
        return Comparable(mode=None, kind=None, speed=1.0, sides=(), left_out=tuple(left_out))
    best = min((_setting(side) for _, side in kept), key=_preference)
    mode, kind, speed = best
    for name, side in kept:
        if _setting(side) != best:
            left_out.append(LeftOut(name=name, reason=_reason(_setting(side), best)))
    same = tuple((name, side) for name, side in kept if _setting(side) == best)
    return Comparable(mode=mode, kind=kind, speed=speed, sides=same, left_out=tuple(left_out))


def side_names(sides: Sequence[Side]) -> list[str]:
    """The shortest names that tell them apart: the strategy, the run, or both."""
    one_run = len({side.run.run_id for side in sides}) == 1
    strategies = [side.way or side.run.name for side in sides]
    runs = [side.run.name for side in sides]
    for names in (strategies,) if one_run else (runs, [side.label for side in sides]):
        if len(set(names)) == len(names):
            return names
    return [f"{side.label} ({side.run.run_id})" for side in sides]


def mode_name(mode: ProviderMode | None) -> str:
    """The mode's name; `unknown` for None."""
    return "unknown" if mode is None else mode.value


_Setting = tuple[ProviderMode | None, RunKind, float]


def _setting(side: Side) -> _Setting:
    return side.mode, side.run.kind, side.speed


def _preference(setting: _Setting) -> tuple[int, int, float]:
    mode, kind, speed = setting
    return MODE_ORDER.index(mode_name(mode)), KIND_ORDER.index(kind.value), abs(speed - 1.0)


def _reason(own: _Setting, best: _Setting) -> str:
    if own[0] is not best[0]:
        return f"{mode_name(own[0])} providers, not {mode_name(best[0])} ones"
    if own[1] is not best[1]:
        return f"a run of kind {own[1].value}, not {best[1].value}"
    return f"latencies at speed x{own[2]:g}, not x{best[2]:g}"
