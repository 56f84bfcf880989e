# ruff: noqa: S608 - names in SQL are constants, values are bound
"""Cells: what each model's draft, and the repair of it, cost, took and reached, case by case, as columns.

A source is the answers of one model in one side whose requests asked one model a role: evaluations,
baselines, production, imports. Sides of cascades, hedges and fallbacks are no source; they are what cells
are there to predict. All sources stand over the same units: a case, and how often it was asked before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.figures.sides import Side
from harness.pricing import PriceBook
from harness.pricing.breakdown import ModelRef
from harness.records import RunKind
from harness.store import Snapshot
from harness.strategies.attempts import Attempts, recorded_attempts

Column = NDArray[np.float64]
LEAST_SHARED = 0.5
"""A source that shares fewer of the units than this takes no part."""

_UNITS_A_USD = 1e10


@dataclass(frozen=True, kw_only=True)
class Source:
    """One model's answers over the units, shape (N,) each; not a number is unknown.

    Attributes:
        ref: the model that drafted.
        repairer: the model that repaired; None where nobody did.
        side: name of the side that the answers are of.
        ok: the request was answered.
        repaired: the draft broke rules and went to repair.
        draft_usd, draft_ms: of the draft; milliseconds until it was there, or had failed.
        repair_usd, repair_ms: 0 where nothing was repaired.
        score: of the final answer, 0..1.
        high: 1 where it is of high tier, else 0.
        confidence: what the service said of its answer, 0..1.
        excluded: answers that stand over no unit, because another source lacks it.
        repairs: recorded repair attempts; `request` is the place of the unit. None without any.
    """

    ref: ModelRef
    repairer: ModelRef | None
    side: str
    ok: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    draft_usd: Column
    draft_ms: Column
    repair_usd: Column
    repair_ms: Column
    score: Column
    high: Column
    confidence: Column
    excluded: int = 0
    repairs: tuple[Attempts, ...] = ()

    @property
    def name(self) -> str:
        """The model's id."""
        return self.ref.model

    def repair_usd_at(self, ref: ModelRef | None, book: PriceBook) -> Column:
        """What the recorded repairs would cost at another model; its own prices for None or itself."""
        if ref is None or ref == self.repairer or not self.repaired.any():
            return self.repair_usd
        total = np.zeros(len(self.ok))
        known = np.ones(len(self.ok), dtype=np.bool_)
        for own in self.repairs:
            cost = own.at_prices(book, ref)
            total += np.bincount(own.request, weights=cost.units, minlength=len(self.ok))
            known[own.request[~cost.known]] = False
        return np.where(known, total / _UNITS_A_USD, np.nan)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """All sources over the same units.

    Attributes:
        cases: number of each unit's case, 0 and up, shape (N,).
        chance: a number in 0..1 of each unit, drawn from its key: what decides where a policy is random.
        case_keys: DuckDB's hash of each unit's case id, shape (N,): what a router's features are found by.
        left_out: sides that are no source, and why.
    """

    sources: tuple[Source, ...]
    cases: NDArray[np.intp]
    chance: Column
    case_keys: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def n(self) -> int:
        """Units."""
        return len(self.cases)

    def of(self, units: NDArray[Any]) -> "Cells":
        """The same over some units (places, or a mask)."""
        places = np.flatnonzero(units) if units.dtype == np.bool_ else units
        return replace(
            self,
            sources=tuple(_source_of(source, places, self.n) for source in self.sources),
            cases=np.unique(self.cases[places], return_inverse=True)[1],
            chance=self.chance[places],
            case_keys=self.case_keys[places] if len(self.case_keys) else self.case_keys,
        )


_COLUMNS = ("draft_usd", "draft_ms", "repair_usd", "repair_ms", "score", "high", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What a side holds of one model."""

    name: str
    side: Side
    ref: ModelRef
    repairer: ModelRef | None
    answers: int
    repaired: int


def load_cells(sides: Sequence[tuple[str, Side]]) -> Cells:
    """The cells of comparable sides.

    Args:
        sides: under the names that tell them apart; of one mode, kind and speed.

    Returns:
        The models that can be combined, over the units that all of them answered; no source where there
        are fewer than two.
    """
    by_model: dict[ModelRef, list[_Offer]] = {}
    left_out: list[tuple[str, str]] = []
    for name, side in sides:
        found = [] if _mixes(side) else _offers(name, side)
        if not found:
            left_out.append((name, "asked several models within one request, or tells no case"))
        for offer in found:
            by_model.setdefault(offer.ref, []).append(offer)
    if len(by_model) < 2:
        return Cells(sources=(), cases=np.empty(0, np.intp), chance=np.empty(0), left_out=tuple(left_out))
    return _aligned([(offer, _table(offer)) for offer in map(_fullest, by_model.values())], left_out)


def case_keys(view: Snapshot, case_ids: Sequence[str]) -> NDArray[np.uint64]:
    """What cells know cases by, in the order given."""
    found = view.columns(
        "SELECT hash(own) AS key FROM (SELECT unnest(?::VARCHAR[]) AS own)", [list(case_ids)]
    )
    return _filled(found["key"])


def _fullest(offers: Sequence[_Offer]) -> _Offer:
    """The one with most answers; of those with half as many, rather one that repaired itself."""
    most = max(offer.answers for offer in offers)
    full = [offer for offer in offers if offer.answers >= LEAST_SHARED * most]
    return min(full, key=lambda offer: (offer.repairer not in (None, offer.ref), -offer.answers))


def _offers(name: str, side: Side) -> list[_Offer]:
    found = side.rows.rows(
        f"""SELECT draft_source, draft_model, count(*), count(repair_source), min(repair_source),
            max(repair_source), min(repair_model), max(repair_model)
        FROM counted WHERE {_case(side)} IS NOT NULL AND draft_model IS NOT NULL AND draft_source IS NOT NULL
        GROUP BY draft_source, draft_model ORDER BY count(*) DESC, draft_model"""
    )
    return [
        _Offer(
            name=name,
            side=side,
            ref=ModelRef(source, model),
            repairer=ModelRef(first, first_model)
            if first is not None and first_model is not None and (first, first_model) == (last, last_model)
            else None,
            answers=n,
            repaired=repaired,
        )
        for source, model, n, repaired, first, last, first_model, last_model in found
    ]


def _case(side: Side) -> str:
    """What requests of different sides are the same by: a case, or, of live traffic, the request itself."""
    return "request_id" if side.run.kind is RunKind.SERVICE else "case_id"


def _mixes(side: Side) -> bool:
    """Some request of the side asked several models for its draft."""
    view, run = side.rows.view, [side.run.run_id]
    asked = """FROM calls WHERE role IN ('draft', 'suggest') AND outcome <> 'refused' AND run_id = ?"""
    if view.kept(f"SELECT DISTINCT provider, model {asked}", run).rows < 2:
        return False
    mixed = view.kept(
        f"""SELECT request FROM (SELECT hash(request_id) AS request, hash(provider, model) AS asked {asked})
        GROUP BY request HAVING count(*) > 1 AND min(asked) <> max(asked)""",
        run,
    )
    if not mixed.rows:
        return False
    ((n,),) = side.rows.rows(f"SELECT count(*) FROM counted WHERE hash(request_id) IN (FROM {mixed.table})")
    return bool(n)


def _table(offer: _Offer) -> dict[str, Any]:
    """The answers of one model in columns, those that tell no case left out."""
    rows = offer.side.rows
    case = _case(offer.side)
    repair_ms, join = "0", ""
    if offer.repaired:
        repair_ms = "CASE WHEN repair_source IS NOT NULL THEN json_extract(stages_ms, '$.repair')::DOUBLE"
        ((unstaged,),) = rows.rows(
            "SELECT count(*) FROM counted WHERE repair_source IS NOT NULL AND stages_ms IS NULL"
        )
        if unstaged:
            repair_ms = repair_ms.replace("THEN ", "THEN coalesce(").replace("DOUBLE", "DOUBLE, calls_ms)")
            calls = rows.view.kept(
                """SELECT run_id, request_id, sum(latency_ms) AS calls_ms FROM calls
                WHERE role = 'repair' AND run_id = ? GROUP BY run_id, request_id""",
                [offer.side.run.run_id],
            )
            join = f"LEFT JOIN {calls.table} USING (run_id, request_id)"
        repair_ms += " ELSE 0 END"
    columns = rows.view.columns(
        f"""{rows.ctes} SELECT hash({case}) AS own, epoch_us(arrived_at) AS arrived,
            coalesce(seq, 0)::INTEGER AS seq, hash(run_id, request_id) AS key,
            status = 'ok' AS ok, repair_source IS NOT NULL AS repaired, ms, {repair_ms} AS repair_ms,
            draft_usd::DOUBLE AS draft_usd, repair_usd::DOUBLE AS repair_usd,
            quality_score AS score, (quality_tier = 'high')::FLOAT AS high, confidence::FLOAT AS confidence
        FROM counted {join} WHERE {case} IS NOT NULL AND draft_source = ? AND draft_model = ?""",
        [*rows.values, offer.ref.provider, offer.ref.model],
    )
    return {name: _filled(column) for name, column in columns.items()}


def _filled(column: Any) -> NDArray[Any]:
    masked = np.ma.asarray(column)
    return np.asarray(masked.filled(np.nan) if masked.dtype.kind == "f" else masked.filled())


def _aligned(tables: list[tuple[_Offer, dict[str, Any]]], left_out: list[tuple[str, str]]) -> Cells:
    """The sources over the units that all of them have."""
    keyed = sorted(((*entry, _unit_keys(entry[1])) for entry in tables), key=lambda e: -len(e[2]))
    units = _all_units(keyed[0][0].side, [keys for *_, keys in keyed])
    kept = []
    for offer, table, keys in keyed:
        order = np.argsort(keys)
        shared = units[_found(keys[order], units)[1]]
        if len(shared) < max(1.0, LEAST_SHARED * len(units)):
            why = f"answered {len(shared):,} of the {len(units):,} cases of the others"
            left_out.append((f"{offer.ref.model} of {offer.name}", why))
            continue
        units = shared
        kept.append((offer, table, keys[order], order))
    sources: list[Source] = []
    cases: NDArray[np.intp] = np.empty(0, np.intp)
    case_keys: NDArray[np.uint64] = np.empty(0, np.uint64)
    for offer, table, keys, order in kept:
        place = order[np.searchsorted(keys, units)]
        if not sources:
            case_keys = table["own"][place]
            cases = np.unique(case_keys, return_inverse=True)[1]
        sources.append(_source(offer, table, place))
    chance = (units >> np.uint64(11)).astype(np.float64) / 2.0**53
    return Cells(
        sources=tuple(sources), cases=cases, chance=chance, case_keys=case_keys, left_out=tuple(left_out)
    )


def _all_units(first: Side, keys: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Those of the source with most; of live traffic, where a shadow answers a share, those of any two."""
    if first.run.kind is RunKind.SERVICE:
        found, times = np.unique(np.concatenate(keys), return_counts=True)
        return found[times > 1]
    return np.sort(keys[0])


def _found(
    ordered: NDArray[np.uint64], wanted: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each stands among ordered keys, and whether it is there at all."""
    place = np.minimum(np.searchsorted(ordered, wanted), max(0, len(ordered) - 1))
    told = ordered[place] == wanted if len(ordered) else np.zeros(len(wanted), dtype=np.bool_)
    return place, told


def _unit_keys(table: dict[str, Any]) -> NDArray[np.uint64]:
    """A number of each answer's case and how often the case was asked before."""
    order = np.lexsort((table["seq"], table["arrived"], table["own"]))
    own = table["own"][order]
    starts = np.flatnonzero(np.concatenate(([True], own[1:] != own[:-1]))) if len(own) else np.empty(0, int)
    repeat = np.arange(len(own)) - np.repeat(starts, np.diff(np.append(starts, len(own))))
    keys = np.empty(len(own), np.uint64)
    keys[order] = _mixed(own + np.uint64(0x9E3779B97F4A7C15) * (repeat.astype(np.uint64) + np.uint64(1)))
    return keys


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: neighbouring numbers become unlike each other. Source: Steele et al. (2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _source(offer: _Offer, table: dict[str, Any], place: NDArray[np.intp]) -> Source:
    own = {name: column[place] for name, column in table.items()}
    repair_ms = np.where(own["repaired"], own["repair_ms"], 0.0)
    return Source(
        ref=offer.ref,
        repairer=offer.repairer,
        side=offer.name,
        ok=own["ok"],
        repaired=own["repaired"],
        draft_usd=own["draft_usd"],
        draft_ms=own["ms"] - repair_ms,
        repair_usd=np.where(own["repaired"], own["repair_usd"], 0.0),
        repair_ms=repair_ms,
        score=np.where(own["ok"], own["score"], np.nan),
        high=np.where(own["ok"], own["high"], np.nan),
        confidence=own["confidence"],
        excluded=len(table["own"]) - len(place),
        repairs=_repairs(offer, own["key"]),
    )


def _repairs(offer: _Offer, keys: NDArray[np.uint64]) -> tuple[Attempts, ...]:
    """The side's repair attempts on these requests, by their places."""
    if not offer.repaired:
        return ()
    recorded = recorded_attempts(offer.side.rows, role="repair")
    order = np.argsort(keys)
    found = []
    for attempts in recorded.attempts:
        place, told = _found(keys[order], recorded.keys[attempts.request])
        found.append(attempts.of(told, order[place[told]]))
    return tuple(found)


def _source_of(source: Source, places: NDArray[np.intp], n: int) -> Source:
    columns = {name: getattr(source, name)[places] for name in (*_COLUMNS, "ok", "repaired")}
    return replace(
        source,
        **columns,
        repairs=tuple(_cut(attempts, places, n) for attempts in source.repairs),
    )


def _cut(attempts: Attempts, places: NDArray[np.intp], n: int) -> Attempts:
    new = np.full(n, -1, dtype=np.intp)
    new[places] = np.arange(len(places))
    moved = new[attempts.request]
    return attempts.of(moved >= 0, moved[moved >= 0])
