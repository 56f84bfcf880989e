# ruff: noqa: S608 - names in SQL are constants, values are bound
"""Recorded attempts as token columns, ready to be priced at any model, without an object a call."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.figures.selection import Rows
from harness.figures.spending import ROLES, spent_sql
from harness.pricing import PriceBook
from harness.pricing.book import DECLARED
from harness.pricing.breakdown import ModelRef
from harness.pricing.columns import CostColumn, UsageColumns, cost_column
from harness.records import NO_TERMS, Role, ServedTerms, Usage, terms_from

_LOCAL = f"coalesce(price_source = '{DECLARED}', FALSE) AS local"
_KEYS = ("role", "provider", "model", "price_context", "local", "served_model", "served_terms")
_TOKENS = tuple(UsageColumns.__dataclass_fields__)
_PARTS = tuple(name for name in _TOKENS if name not in ("input_tokens", "output_tokens"))
_MOST_TOKENS = 2**31 - 1
"""Four bytes a count; what claims more is unknown."""

_UNITS_A_USD = 10**10


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The attempts of one role at one model on the same terms.

    Attributes:
        served: the model that answered, where it is known.
        terms: what else than tokens the bill rests on.
        request: place of each attempt's request among all of the selection, shape (n,).
        usage: their tokens; a part that is not told counts as none.
        at: when each was made, UTC; NaT is unknown.
        paid: the recorded cost of each.
    """

    role: Role
    ref: ModelRef
    context: str
    served: str | None
    terms: ServedTerms
    request: NDArray[np.intp]
    usage: UsageColumns
    at: NDArray[np.datetime64]
    paid: CostColumn

    @property
    def is_draft(self) -> bool:
        """Not a repair, nor a judge's."""
        return self.role not in (Role.REPAIR, Role.JUDGE)

    def at_prices(
        self, book: PriceBook, ref: ModelRef | None = None, at: datetime | None = None
    ) -> CostColumn:
        """What each would cost at a model's prices: its own (None), at its own moment (None)."""
        asked = ref or self.ref
        moments = self.at if at is None else _always(at, len(self.at))
        return self._priced(self.usage, moments, asked, book)

    def usage_at_prices(self, book: PriceBook, usage: UsageColumns, at: NDArray[np.datetime64]) -> CostColumn:
        """What other tokens would cost at these attempts' own model and terms."""
        return self._priced(usage, at, self.ref, book)

    def charged_as(self, ref: ModelRef, book: PriceBook) -> str:
        """The model that is charged: the one that answered, where these attempts' own model is asked for."""
        return book.charged_model(ref.provider, ref.model, self.served if ref == self.ref else None)

    def terms_at(self, ref: ModelRef) -> ServedTerms:
        """The terms as they would be at a model."""
        return self.terms if ref.provider == self.ref.provider else self.terms.elsewhere()

    def _priced(
        self, usage: UsageColumns, at: NDArray[np.datetime64], ref: ModelRef, book: PriceBook
    ) -> CostColumn:
        model, terms = self.charged_as(ref, book), self.terms_at(ref)
        if not terms.material():
            return cost_column(book, ref.provider, model, usage, at, context=self.context, local=ref.local)
        units, known = np.zeros(len(at), np.int64), np.zeros(len(at), np.bool_)
        for place, moment in enumerate(at.astype("datetime64[us]").tolist()):  # they are few
            tokens = _usage_at(usage, place)
            cost = None
            if moment is not None and tokens is not None:
                when = moment.replace(tzinfo=UTC)
                cost = book.cost_usd(
                    ref.provider, model, tokens, at=when, context=self.context, terms=terms, local=ref.local
                )
            if cost is not None:
                units[place], known[place] = int(cost * _UNITS_A_USD), True
        return CostColumn(units, known)

    def of(self, rows: NDArray[np.bool_], request: NDArray[np.intp]) -> "Attempts":
        """Some of them, with other places of their requests."""
        return Attempts(
            role=self.role,
            ref=self.ref,
            context=self.context,
            served=self.served,
            terms=self.terms,
            request=request,
            usage=self.usage.of(rows),
            at=self.at[rows],
            paid=CostColumn(self.paid.units[rows], self.paid.known[rows]),
        )

    @cached_property
    def told(self) -> NDArray[np.bool_]:
        """Both totals are known, and no part exceeds its whole."""
        return usage_told(self.usage)


def _always(at: datetime, n: int) -> NDArray[np.datetime64]:
    return np.full(n, np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us"))


def _usage_at(usage: UsageColumns, place: int) -> Usage | None:
    """One row's tokens; None where they are unknown or contradict each other."""
    if not usage_told(usage.of(slice(place, place + 1)))[0]:
        return None
    columns = ((name, getattr(usage, name)) for name in _TOKENS)
    return Usage(
        **{name: int(np.ma.filled(column[place], 0)) for name, column in columns if column is not None}
    )


def usage_told(usage: UsageColumns) -> NDArray[np.bool_]:
    """Where both totals are known and no part exceeds its whole."""
    total, output = (_counts(column, -1) for column in (usage.input_tokens, usage.output_tokens))
    parts = np.zeros_like(total)
    for column in (usage.cache_read_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens):
        parts += _counts(column)
    told: NDArray[np.bool_] = (total >= 0) & (output >= 0) & (parts <= total)
    told &= _counts(usage.reasoning_tokens) <= output
    return told


def _counts(column: Any, unknown: int = 0) -> Any:
    """A column's counts; 0 for no column."""
    return 0 if column is None else np.asarray(np.ma.filled(column, unknown), dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """All attempts of a selection.

    Attributes:
        attempts: by role, provider, model and terms, drafts first; judges last.
        keys: hash of each request, ascending, shape (requests,).
    """

    attempts: tuple[Attempts, ...]
    keys: NDArray[np.uint64]

    @property
    def answering(self) -> tuple[Attempts, ...]:
        """Without the judges, who are no part of a request's cost."""
        return tuple(own for own in self.attempts if own.role is not Role.JUDGE)

    @property
    def refs(self) -> tuple[ModelRef, ...]:
        """The models asked for answers, once each."""
        return tuple(dict.fromkeys(own.ref for own in self.answering))

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Requests whose every attempt has tokens and a cost, shape (requests,)."""
        asked, missing = (np.zeros(len(self.keys), dtype=np.bool_) for _ in range(2))
        for own in self.answering:
            asked[own.request] = True
            missing[own.request[~(own.told & own.paid.known)]] = True
        return asked & ~missing

    @cached_property
    def alone(self) -> NDArray[np.bool_]:
        """Requests of a single attempt, shape (requests,)."""
        made = np.zeros(len(self.keys), dtype=np.int32)
        for own in self.answering:
            made += np.bincount(own.request, minlength=len(self.keys)).astype(np.int32)
        single: NDArray[np.bool_] = made == 1
        return single

    @cached_property
    def requests(self) -> int:
        """How many asked anybody for an answer."""
        asked = np.zeros(len(self.keys), dtype=np.bool_)
        for own in self.answering:
            asked[own.request] = True
        return int(asked.sum())

    def mixing_roles(self) -> tuple[Role, ...]:
        """Roles that asked several models within one request: cascades, hedges, fallbacks."""
        found = []
        for role in (Role.DRAFT, Role.SUGGEST, Role.REPAIR):
            own = [attempts for attempts in self.attempts if attempts.role is role]
            seen = np.zeros(len(self.keys), dtype=np.int16)
            for ref in dict.fromkeys(attempts.ref for attempts in own):
                asked = np.zeros(len(self.keys), dtype=np.bool_)
                for attempts in own:
                    if attempts.ref == ref:
                        asked[attempts.request] = True
                seen += asked
            if (seen > 1).any():
                found.append(role)
        return tuple(found)


def recorded_attempts(rows: Rows, *, role: str | None = None) -> Recorded:
    """The attempts of a selection, and what stands for them where none were recorded; of one role alone."""
    only = "" if role is None else f"WHERE role = '{Role(role).value}'"
    # one pass that tells all groups apart: a condition a group would make a join's few look like its many
    spent, of_runs = (
        f"(SELECT *, {_LOCAL} FROM ({spent_sql(rows, whole_runs=whole)}) {only})" for whole in (False, True)
    )
    terms, group_key = ", ".join(_KEYS), f"hash({', '.join(_KEYS)})"
    told = ", ".join(f"max({name}) > 0 AS has_{name}" for name in _PARTS)
    groups = rows.dicts(
        f"""SELECT {terms}, {group_key} AS group_key, {told} FROM {of_runs} GROUP BY {terms}
        ORDER BY list_position({list(ROLES)}, role), {", ".join(_KEYS[1:])}"""
    )
    used = [name for name in _TOKENS if name not in _PARTS or any(group[f"has_{name}"] for group in groups)]
    counts = ", ".join(
        f"CASE WHEN {name} BETWEEN 0 AND {_MOST_TOKENS} THEN {name}::INTEGER END AS {name}" for name in used
    )
    table: dict[str, Any] = rows.view.columns(
        f"""{rows.ctes} SELECT hash(run_id, request_id) AS request_key, {group_key} AS group_key, spent_at,
            {counts}, (cost_usd * {_UNITS_A_USD})::BIGINT AS units
        FROM {spent}""",
        rows.values,
    )
    keys, places = np.unique(table.pop("request_key"), return_inverse=True)
    group_keys = table.pop("group_key")
    found = []
    for group in groups:
        own = np.flatnonzero(group_keys == np.uint64(group["group_key"]))
        if len(own):  # else of other requests of the runs
            found.append(_attempts(group, {name: column[own] for name, column in table.items()}, places[own]))
    return Recorded(attempts=tuple(found), keys=keys)


def _attempts(group: Mapping[str, Any], table: Mapping[str, Any], request: NDArray[np.intp]) -> Attempts:
    """One group's attempts; kinds of tokens that none of them used are left out."""
    units = np.ma.asarray(table["units"])
    tokens: dict[str, Any] = {
        name: table.get(name) if group.get(f"has_{name}", True) else None for name in _TOKENS
    }
    at = np.ma.filled(np.ma.asarray(table["spent_at"]), np.datetime64("NaT"))
    return Attempts(
        role=Role(group["role"]),
        ref=ModelRef(group["provider"], group["model"], local=group["local"]),
        context=group["price_context"],
        served=group["served_model"],
        terms=NO_TERMS if group["served_terms"] is None else terms_from(json.loads(group["served_terms"])),
        request=request,
        usage=UsageColumns(**tokens),
        at=at,
        paid=CostColumn(np.ma.filled(units, 0).astype(np.int64), ~np.ma.getmaskarray(units)),
    )
