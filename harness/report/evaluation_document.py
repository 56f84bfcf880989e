"""An evaluation as JSON, as the rows of tables, and as Markdown; written into the store's reports."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.analysis.estimate import no_estimate
from harness.figures.declaration import Unit
from harness.figures.differences import Difference
from harness.figures.evaluation import EvaluationFigures, StrategyComparison, StrategyFigures
from harness.outputs import replace_files
from harness.records import EvaluationConfig, EvaluationSummary
from harness.report import wording
from harness.report.differences import difference_json
from harness.report.document import SCHEMA as REPORT_SCHEMA
from harness.report.document import document_bytes, estimate_json, interval_json, known_fields, run_fields
from harness.report.grading import PAIRWISE_HEAD, grader_rows, grading_json, pairwise_notes, pairwise_rows
from harness.report.markdown import escaped, table
from harness.report.rows import is_told, mode_banner
from harness.report.write import free_stem
from harness.store.snapshot import Snapshot
from harness.version import __version__

SCHEMA = "harness.evaluation.v1"
COMPARISON_HEAD = ("against the first", "score, points", "high tier, points", "saved", "cases")

_SHORT = {
    "score": "quality_score",
    "p50_ms": "p50_latency",
    "p95_ms": "p95_latency",
    "cost_per_request_usd": "cost_per_request",
    "cost_per_high_answer_usd": "cost_per_high_answer",
    "repaired_ratio": "repaired",
    "error_ratio": "error_ratio",
}
"""Keys that stood in the document before `figures` did, and still do."""

_DIFFERENCES = {"score": "quality_score", "high_tier": "high_tier", "cost": "cost_per_request"}


def evaluation_document(figures: EvaluationFigures) -> dict[str, Any]:
    """The figures as one JSON object: unknown is null, amounts are USD, ratios 0..1."""
    run, told = figures.run, EvaluationSummary.read(figures.run.summary)
    return {
        "schema": SCHEMA,
        "run": run_fields(run),
        "provider_mode": figures.mode,
        "planned": figures.planned,
        "caution": figures.caution,
        "latency_note": figures.latency_note,
        "answer_notes": list(figures.answer_notes),
        "forecast": EvaluationConfig.read(run.config).forecast,
        "possibly_paid_twice": told.possibly_paid_twice,
        "judgements_possibly_paid_twice": told.judgements_possibly_paid_twice,
        "strategies": [_strategy(figures, found) for found in figures.strategies],
        "comparisons": [_comparison(found) for found in figures.comparisons],
        "grading": grading_json(figures.grading),
    }


def strategy_head(figures: EvaluationFigures) -> tuple[str, ...]:
    """A column for the figures' names and one for each strategy."""
    return ("figure", *(found.strategy for found in figures.strategies))


def strategy_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line a figure, one column a strategy, each figure with its 95% interval."""
    found = figures.strategies
    rows = [("requests, cases", *(_counts(own) for own in found))]
    rows += [
        (figure.title, *(wording.compact(own.figures[figure.name], figure.unit) for own in found))
        for figure in figures.declared
        if any(is_told(figure, own.figures.get(figure.name, no_estimate("none"))) for own in found)
    ]
    rows.append(("$ in all", *(f"{own.total_usd:.4f}" for own in found)))
    rows += grader_rows(figures.grading, [own.strategy for own in found])
    if any(own.unpriced for own in found):
        rows.append(("unpriced requests", *(f"{own.unpriced:,}" for own in found)))
    if any(own.ok != own.graded for own in found):
        rows.append(("ungraded answers", *(f"{own.ok - own.graded:,}" for own in found)))
    return rows


def _counts(found: StrategyFigures) -> str:
    of = "" if found.planned in (None, found.requests) else f" of {found.planned:,}"
    return f"{found.requests:,}{of}, {found.cases:,}"


def comparison_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line for each strategy against the first."""
    return [
        (
            found.other,
            _points(found.found.named("quality_score")),
            _points(found.found.named("high_tier")),
            wording.compact(found.found.saving, Unit.RATIO) if found.is_comparable else wording.UNKNOWN,
            f"{found.found.cases:,}",
        )
        for found in figures.comparisons
    ]


def judged_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line for each strategy that a judge held against the first; empty without pairs."""
    return pairwise_rows(figures.grading)


def evaluation_notes(figures: EvaluationFigures) -> list[str]:
    """What must be said beside the figures."""
    said = [mode_banner(figures.mode), figures.caution, figures.latency_note, *figures.answer_notes]
    if figures.grading.judges:
        said.append(f"judged by {', '.join(figures.grading.judges)}, apart: no strategy's cost contains them")
    doubted = EvaluationSummary.read(figures.run.summary).possibly_paid_twice
    if doubted:
        said.append(
            f"{wording.count(len(doubted), 'case')} possibly paid twice (in flight when a session died)"
        )
    return [*(text for text in said if text is not None), *figures.failures]


def evaluation_markdown(figures: EvaluationFigures) -> str:
    """The evaluation as Markdown."""
    parts = [f"# {escaped(figures.run.name)}"]
    parts += [f"> **{escaped(note)}**" for note in evaluation_notes(figures)]
    parts.append(
        f"## Strategies\n\n{INTERVALS}\n\n"
        + table([escaped(cell) for cell in strategy_head(figures)], strategy_rows(figures))
    )
    if figures.comparisons:
        first = escaped(figures.comparisons[0].first)
        parts.append(f"## Against {first}\n\n" + table(COMPARISON_HEAD, comparison_rows(figures)))
        parts.append("\n".join(f"- {escaped(found.verdict)}" for found in figures.comparisons))
        parts.append(
            "\n".join(
                f"- {escaped(found.other)}: {escaped(found.power)}"
                for found in figures.comparisons
                if found.power
            )
        )
    if figures.grading.pairwise:
        parts.append("## Judged in pairs\n\n" + table(PAIRWISE_HEAD, judged_rows(figures)))
        parts.append("\n".join(f"- {escaped(note)}" for note in pairwise_notes(figures.grading)))
    return "\n\n".join(part for part in parts if part) + "\n"


INTERVALS = "Intervals: 95%, clustered by case where cases repeat."


def write_evaluation(view: Snapshot, figures: EvaluationFigures, out_dir: Path) -> tuple[Path, Path]:
    """Write `eval-YYYY-MM-DD-HHmmss.{json,md}`, each whole or not at all; returns both.

    The JSON is a report that `gate`, `compare` and `savings` read where there is no store.

    Raises:
        StoreFullError: the disk refused a file.
    """
    run_id = figures.run.run_id
    document: Mapping[str, Any] = {
        "schema": REPORT_SCHEMA,
        "written_by": f"harness {__version__}",
        "run": run_fields(figures.run),
        "evaluation": evaluation_document(figures),
        "requests": [known_fields(row) for row in view.requests(run_id, include_warmup=True)],
        "calls": [known_fields(call) for call in view.calls(run_id)],
        "grades": [known_fields(grade) for grade in view.grades(run_id)],
    }
    stem = free_stem(out_dir, figures.run)
    paths = (out_dir / f"{stem}.json", out_dir / f"{stem}.md")
    replace_files({paths[0]: document_bytes(document), paths[1]: evaluation_markdown(figures).encode()})
    return paths


def _strategy(figures: EvaluationFigures, found: StrategyFigures) -> dict[str, Any]:
    return {
        "strategy": found.strategy,
        "planned": found.planned,
        "requests": found.requests,
        "ok": found.ok,
        "graded": found.graded,
        "cases": found.cases,
        "figures": {
            figure.name: estimate_json(figure, found.figures[figure.name])
            for figure in figures.declared
            if figure.name in found.figures
        },
        "tiers": {tier: interval_json(found.figures[f"{tier}_tier"]) for tier in ("high", "medium", "low")},
        **{key: interval_json(found.figures[name]) for key, name in _SHORT.items()},
        "total_cost_usd": found.total_usd,
        "unpriced_requests": found.unpriced,
    }


def _comparison(found: StrategyComparison) -> dict[str, Any]:
    told = {
        key: difference_json(difference)
        for key, name in (
            ("score", "quality_score"),
            ("high_tier", "high_tier"),
            ("cost", "cost_per_request"),
        )
        if (difference := found.found.named(name)) is not None
    }
    return {
        "first": found.first,
        "other": found.other,
        "verdict": found.verdict,
        "power": found.power,
        "cases": found.found.cases,
        **told,
        "saving": {"saving_ratio": interval_json(found.found.saving)},
    }


def _points(found: Difference | None) -> str:
    change = None if found is None else found.shift.change
    if change is None or change.value is None:
        return wording.UNKNOWN
    if change.low is None or change.high is None:
        return f"{100 * change.value:+.1f}"
    return f"{100 * change.value:+.1f} [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"
