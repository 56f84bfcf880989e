"""Which ways of answering may be judged side by side: one provider mode, one kind of run, one clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from harness.records import ProviderMode, RunKind
from harness.report.evaluation import emulator_speed
from harness.report.savings import SavingsSide

MODE_ORDER = (ProviderMode.LIVE, ProviderMode.EMULATED, ProviderMode.FIXTURES, None, ProviderMode.MIXED)
"""Live if there is any, else emulated; unknown and mixed come last."""

KIND_ORDER = (RunKind.BASELINE, RunKind.EVAL, RunKind.SERVICE, RunKind.INGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSide:
    """A side under the name that tells it from the others."""

    name: str
    side: SavingsSide


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A side that is not judged, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparable:
    """Sides that may stand side by side.

    Attributes:
        mode: what answered all of them; None is unknown.
        speed: what emulated latencies were divided by, the same for all; 1 for realistic ones.
        left_out: the others, each with its reason.
    """

    mode: ProviderMode | None
    kind: RunKind | None
    speed: float
    sides: tuple[NamedSide, ...]
    left_out: tuple[LeftOut, ...]


def comparable_sides(
    sides: Sequence[SavingsSide], *, names: Sequence[str] | None = None, cases: Sequence[str] = ()
) -> Comparable:
    """The sides of the best provider mode there is: live, else emulated, else what remains.

    Within it one kind of run and one emulator speed, since latencies of others stand on another clock.

    Args:
        sides: of any runs.
        names: of the sides, as the caller shows them; None makes the shortest that tell them apart.
        cases: patterns such as `pricing-*`; only requests of such cases count. Empty takes all.
    """
    named = zip(names if names is not None else side_names(sides), sides, strict=True)
    kept, left_out = [], []
    for name, side in named:
        scoped = _of_cases(side, cases)
        if scoped.requests:
            kept.append(NamedSide(name=name, side=scoped))
        else:
            left_out.append(LeftOut(name=name, reason="no request of these cases"))
    if not kept:
        return Comparable(mode=None, kind=None, speed=1.0, sides=(), left_out=tuple(left_out))
    best = min((_setting(found.side) for found in kept), key=_preference)
    mode, kind, speed = best
    left_out += [
        LeftOut(name=found.name, reason=_reason(_setting(found.side), best))
        for found in kept
        if _setting(found.side) != best
    ]
    same = tuple(found for found in kept if _setting(found.side) == best)
    return Comparable(mode=mode, kind=kind, speed=speed, sides=same, left_out=tuple(left_out))


def side_names(sides: Sequence[SavingsSide]) -> list[str]:
    """The shortest names that tell them apart: the strategy, the run, or both."""
    one_run = len({side.run.run_id for side in sides}) == 1
    strategies = [side.strategy or side.run.name for side in sides]
    runs = [side.run.name for side in sides]
    for names in (strategies,) if one_run else (runs, [side.label for side in sides]):
        if len(set(names)) == len(names):
            return names
    return [f"{side.label} ({side.run.run_id})" for side in sides]


def cautions(sides: Sequence[NamedSide]) -> list[str]:
    """What must be said of the sides' runs, once a run."""
    said = [
        f"{found.side.run.name}: {found.side.caution}" for found in sides if found.side.caution is not None
    ]
    return list(dict.fromkeys(said))


def mode_name(mode: ProviderMode | None) -> str:
    """The mode's name; `unknown` for None."""
    return "unknown" if mode is None else mode.value


Setting = tuple[ProviderMode | None, RunKind, float]


def _setting(side: SavingsSide) -> Setting:
    return side.mode, side.run.kind, emulator_speed(side.run)


def _preference(setting: Setting) -> tuple[int, int, float]:
    mode, kind, speed = setting
    return MODE_ORDER.index(mode), KIND_ORDER.index(kind), abs(speed - 1.0)


def _reason(own: Setting, best: Setting) -> str:
    if own[0] is not best[0]:
        return f"{mode_name(own[0])} providers, not {mode_name(best[0])} ones"
    if own[1] is not best[1]:
        return f"a run of kind {own[1].value}, not {best[1].value}"
    return f"latencies emulated at speed x{own[2]:g}, not x{best[2]:g}"


def _of_cases(side: SavingsSide, patterns: Sequence[str]) -> SavingsSide:
    if not patterns:
        return side
    rows = [
        row
        for row in side.requests
        if row.case_id is not None and any(fnmatchcase(row.case_id, pattern) for pattern in patterns)
    ]
    return replace(side, requests=rows)
