# ruff: noqa: S608 - constant SQL, values are bound
"""What the store holds to choose from: kinds, modes, runs, environments, strategies, providers, models."""

from dataclasses import dataclass
from datetime import datetime

from harness.figures.selection import TAG_NAMES, Rows, Selection, seen, told
from harness.store import Snapshot

MOST_TAG_VALUES = 1_000
"""Values of one tag that are known here: a tenant may have a hundred thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """Requests that agree in everything a filter can ask."""

    run_id: str
    kind: str
    mode: str
    environment: str | None
    strategy: str | None
    draft_source: str | None
    draft_model: str | None
    repair_source: str | None
    repair_model: str | None
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacet:
    """A run as a filter shows it."""

    run_id: str
    name: str
    kind: str
    status: str
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFacet:
    """A tag and its values, the most frequent first; `cut` when there are more than `MOST_TAG_VALUES`."""

    name: str
    values: tuple[str, ...]
    cut: bool = False

    def holds(self, value: str) -> bool:
        """Whether it may have the value: of one with very many, nobody knows without looking."""
        return self.cut or value in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """All there is to choose from; `label_of` and `runs_named` agree on how a run is called.

    `production_span` is when the first and the last production request of services and logs arrived.
    """

    facets: tuple[Facet, ...]
    runs: tuple[RunFacet, ...]
    production_span: tuple[datetime, datetime] | None = None
    tags: tuple[TagFacet, ...] = ()

    def of_several_strategies(self) -> set[str]:
        """Runs whose requests name more than one strategy."""
        by_run: dict[str, set[str]] = {}
        for facet in self.facets:
            if facet.strategy is not None:
                by_run.setdefault(facet.run_id, set()).add(facet.strategy)
        return {run_id for run_id, strategies in by_run.items() if len(strategies) > 1}

    def label_of(self, run: RunFacet) -> str:
        """The run's name where no other run has it, else its id."""
        return run.name if sum(other.name == run.name for other in self.runs) == 1 else run.run_id

    def runs_named(self, label: str) -> tuple[str, ...]:
        """Ids of the runs of that name or id; empty when there is none."""
        return tuple(run.run_id for run in self.runs if label in (run.run_id, run.name))

    def providers(self) -> list[str]:
        """All providers that drafted or repaired, sorted."""
        return sorted({p for f in self.facets for p in (f.draft_source, f.repair_source) if p is not None})

    def models(self) -> list[str]:
        """All models that drafted or repaired, sorted."""
        return sorted({m for f in self.facets for m in (f.draft_model, f.repair_model) if m is not None})

    def environments(self) -> list[str]:
        """All environments, sorted."""
        return sorted({f.environment for f in self.facets if f.environment is not None})

    def tag(self, name: str) -> TagFacet:
        """The tag of a name; one without values where no request has it."""
        return next((tag for tag in self.tags if tag.name == name), TagFacet(name=name, values=()))

    def strategies(self) -> list[str]:
        """All strategies, sorted."""
        return sorted({f.strategy for f in self.facets if f.strategy is not None})


_NAMES = "run_id, kind, mode, environment, strategy, draft_source, draft_model, repair_source, repair_model"
_AS_TOLD = """
SELECT s.* REPLACE (
        coalesce(s.environment, t.environment) AS environment, coalesce(s.strategy, t.strategy) AS strategy,
        coalesce(s.draft_source, t.draft_source) AS draft_source,
        coalesce(s.draft_model, t.draft_model) AS draft_model
    ),
    t.kind, coalesce(s.provider_mode, t.mode) AS mode
FROM {seen} s JOIN {told} t USING (run_id)
"""


def facets(view: Snapshot) -> Facets:
    """What the requests say of themselves, and the runs, latest first."""
    everything = Rows(view, Selection())
    source = _AS_TOLD.format(seen=seen(view).table, told=told(view).table)
    if everything.silent:
        # what a request does not say, its attempts do: those few are looked at one by one
        source = f"""{source} WHERE s.draft_source IS NOT NULL UNION ALL BY NAME
            SELECT {_NAMES}, warmup, 1 AS requests FROM counted WHERE told_draft_source IS NULL"""
    found = everything.dicts(
        f"""SELECT {_NAMES}, sum(requests)::BIGINT AS requests FROM ({source})
        WHERE warmup IS NOT TRUE GROUP BY ALL"""
    )
    runs = view.dicts(
        "SELECT run_id, name, kind, status, started_at FROM runs ORDER BY started_at DESC, run_id DESC"
    )
    ((first, last),) = view.rows(
        """SELECT min(r.started_at), max(r.started_at) FROM requests r JOIN runs u USING (run_id)
        WHERE u.kind IN ('service', 'ingest') AND coalesce(r.environment, u.environment) = 'production'"""
    )
    return Facets(
        facets=tuple(Facet(**row) for row in found),
        runs=tuple(RunFacet(**row) for row in runs),
        production_span=None if first is None or last is None else (first, last),
        tags=_tags(view),
    )


def _tags(view: Snapshot) -> tuple[TagFacet, ...]:
    rows = view.rows(
        f"""WITH told AS (
            SELECT tags, count(*) AS n FROM requests
            WHERE tags IS NOT NULL AND warmup IS NOT TRUE GROUP BY tags
        ),
        named AS (SELECT unnest({TAG_NAMES}) AS name, tags, n FROM told),
        valued AS (
            SELECT name, json_extract_string(tags, '$.' || name) AS value, sum(n) AS n FROM named GROUP BY ALL
        )
        SELECT name, value, count(*) OVER (PARTITION BY name) FROM valued WHERE value IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY name ORDER BY n DESC, value) <= {MOST_TAG_VALUES}
        ORDER BY name, n DESC, value"""
    )
    values: dict[str, list[str]] = {}
    counts = {name: count for name, _, count in rows}
    for name, value, _ in rows:
        values.setdefault(name, []).append(value)
    return tuple(
        TagFacet(name=name, values=tuple(own), cut=counts[name] > len(own)) for name, own in values.items()
    )
