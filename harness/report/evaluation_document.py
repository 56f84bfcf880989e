"""An evaluation as JSON, as the rows of tables, and as Markdown; written into the store's reports."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.analysis.difference import Difference
from harness.analysis.interval import Estimate
from harness.outputs import replace_files
from harness.records import Call, Grade, Request, Tier
from harness.report import wording
from harness.report.comparison import sides_json
from harness.report.document import SCHEMA as REPORT_SCHEMA
from harness.report.document import document_bytes, known_fields, run_fields
from harness.report.evaluation import EvaluationFigures, QuantileFigure, StrategyComparison, StrategyFigures
from harness.report.grading import (
    PAIRWISE_HEAD,
    grader_rows,
    grading_json,
    pairwise_notes,
    pairwise_rows,
)
from harness.report.markdown import escaped, table
from harness.report.rows import mode_banner
from harness.report.savings import MeasuredSaving, SavingsSide, Volume
from harness.report.savings_document import estimate_json
from harness.report.write import free_stem
from harness.version import __version__

SCHEMA = "harness.evaluation.v1"
COMPARISON_HEAD = ("against the first", "score, points", "high tier, points", "saved", "cases")


def evaluation_document(figures: EvaluationFigures) -> dict[str, Any]:
    """The figures as one JSON object: unknown is null, amounts are USD, ratios 0..1."""
    run = figures.run
    return {
        "schema": SCHEMA,
        "run": run_fields(run),
        "provider_mode": figures.mode,
        "planned": figures.planned,
        "caution": figures.caution,
        "latency_note": figures.latency_note,
        "answer_notes": list(figures.answer_notes),
        "forecast": run.config.get("forecast"),
        "possibly_paid_twice": run.summary.get("possibly_paid_twice") or [],
        "judgements_possibly_paid_twice": run.summary.get("judgements_possibly_paid_twice") or [],
        "strategies": [_strategy(found) for found in figures.strategies],
        "comparisons": [_comparison(found) for found in figures.comparisons],
        "grading": grading_json(figures.grading),
    }


def strategy_head(figures: EvaluationFigures) -> tuple[str, ...]:
    """A column for the figures' names and one for each strategy."""
    return ("figure", *(found.strategy for found in figures.strategies))


def strategy_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line a figure, one column a strategy, each figure with its 95% interval."""
    lines: tuple[tuple[str, Callable[[StrategyFigures], str]], ...] = (
        ("requests, cases", _counts),
        ("high tier", lambda found: percent_cell(found.tiers[Tier.HIGH])),
        ("medium tier", lambda found: percent_cell(found.tiers[Tier.MEDIUM])),
        ("low tier", lambda found: percent_cell(found.tiers[Tier.LOW])),
        ("mean score", lambda found: number_cell(found.score, 3)),
        ("p50 latency, ms", lambda found: ms_cell(found.p50)),
        ("p95 latency, ms", lambda found: ms_cell(found.p95)),
        ("$ per request", lambda found: number_cell(found.cost_per_request, 5)),
        ("$ per high answer", lambda found: number_cell(found.cost_per_high, 5)),
        ("$ in all", lambda found: f"{found.total_usd:.4f}"),
        ("repaired", lambda found: percent_cell(found.repaired)),
        ("failed", lambda found: percent_cell(found.failed)),
    )
    rows = [(name, *(cell(found) for found in figures.strategies)) for name, cell in lines]
    names = [found.strategy for found in figures.strategies]
    rows += grader_rows(figures.grading, names, lambda estimate: number_cell(estimate, 3))
    if any(found.unpriced for found in figures.strategies):
        rows.append(("unpriced requests", *(f"{found.unpriced:,}" for found in figures.strategies)))
    if any(found.ok != found.graded for found in figures.strategies):
        rows.append(("ungraded answers", *(f"{found.ok - found.graded:,}" for found in figures.strategies)))
    return rows


def _counts(found: StrategyFigures) -> str:
    of = "" if found.planned in (None, found.requests) else f" of {found.planned:,}"
    return f"{found.requests:,}{of}, {found.cases:,}"


def comparison_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line for each strategy against the first."""
    return [
        (
            found.other,
            _points(found.score),
            _points(found.high),
            percent_cell(found.saving.ratio) if found.is_comparable else "-",
            f"{found.cases:,}",
        )
        for found in figures.comparisons
    ]


def judged_rows(figures: EvaluationFigures) -> list[tuple[str, ...]]:
    """One line for each strategy that a judge held against the first; empty without pairs."""
    return pairwise_rows(figures.grading, percent_cell)


def evaluation_notes(figures: EvaluationFigures) -> list[str]:
    """What must be said beside the figures."""
    said = [mode_banner(figures.mode), figures.caution, figures.latency_note, *figures.answer_notes]
    if figures.grading.judges:
        said.append(f"judged by {', '.join(figures.grading.judges)}, apart: no strategy's cost contains them")
    doubted = figures.run.summary.get("possibly_paid_twice") or []
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
        "## Strategies\n\nIntervals: 95%, clustered by case.\n\n"
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


def write_evaluation(
    figures: EvaluationFigures,
    requests: Sequence[Request],
    calls: Sequence[Call],
    out_dir: Path,
    *,
    grades: Sequence[Grade] = (),
) -> tuple[Path, Path]:
    """Write `eval-YYYY-MM-DD-HHmmss.{json,md}`, each whole or not at all; returns both.

    The JSON is a report that `gate`, `compare` and `savings` read where there is no store.

    Raises:
        StoreFullError: the disk refused a file.
    """
    document: Mapping[str, Any] = {
        "schema": REPORT_SCHEMA,
        "written_by": f"harness {__version__}",
        "run": run_fields(figures.run),
        "evaluation": evaluation_document(figures),
        "requests": [known_fields(row) for row in requests],
        "calls": [known_fields(call) for call in calls],
        "grades": [known_fields(grade) for grade in grades],
    }
    stem = free_stem(out_dir, figures.run)
    paths = (out_dir / f"{stem}.json", out_dir / f"{stem}.md")
    replace_files({paths[0]: document_bytes(document), paths[1]: evaluation_markdown(figures).encode()})
    return paths


def _strategy(found: StrategyFigures) -> dict[str, Any]:
    return {
        "strategy": found.strategy,
        "planned": found.planned,
        "requests": found.requests,
        "ok": found.ok,
        "graded": found.graded,
        "cases": found.cases,
        "tiers": {tier.value: estimate_json(share) for tier, share in found.tiers.items()},
        "score": estimate_json(found.score),
        "p50_ms": quantile_json(found.p50),
        "p95_ms": quantile_json(found.p95),
        "cost_per_request_usd": estimate_json(found.cost_per_request),
        "cost_per_high_answer_usd": estimate_json(found.cost_per_high),
        "total_cost_usd": found.total_usd,
        "unpriced_requests": found.unpriced,
        "repaired_ratio": estimate_json(found.repaired),
        "error_ratio": estimate_json(found.failed),
    }


def _comparison(found: StrategyComparison) -> dict[str, Any]:
    return {
        "first": found.first,
        "other": found.other,
        "verdict": found.verdict,
        "power": found.power,
        "cases": found.cases,
        "confidence": found.confidence,
        "score": sides_json(found.score),
        "high_tier": sides_json(found.high),
        "saving": saving_json(found.saving),
    }


def saving_json(found: MeasuredSaving) -> dict[str, Any]:
    """What one side saves against another."""
    return {
        "a": _side_name(found.a),
        "b": _side_name(found.b),
        "warning": found.warning,
        "paired": found.paired,
        "verdict": _saving_verdict(found.total.per_request),
        "saving_ratio": estimate_json(found.ratio),
        "total": _volume(found.total),
        "draft": _volume(found.draft),
        "repair": _volume(found.repair),
        "unpriced_a": found.unpriced_a,
        "unpriced_b": found.unpriced_b,
        "cases_left_out": found.cases_left_out,
    }


def _saving_verdict(saved: Estimate) -> str:
    if saved.value is None or saved.low is None or saved.high is None:
        return "unknown"
    if saved.low > 0:
        return "cheaper"
    return "dearer" if saved.high < 0 else "no difference seen"


def _side_name(side: SavingsSide) -> dict[str, Any]:
    return {
        "label": side.label,
        "run_id": side.run.run_id,
        "run_name": side.run.name,
        "run_status": side.run.status,
        "strategy": side.strategy,
        "provider_mode": side.mode,
    }


def _volume(volume: Volume) -> dict[str, Any]:
    return {
        "per_request_usd": estimate_json(volume.per_request),
        "per_1000_usd": estimate_json(volume.per_1000),
        "per_month_usd": None if volume.per_month is None else estimate_json(volume.per_month),
    }


def quantile_json(found: QuantileFigure) -> dict[str, Any]:
    """A percentile with its interval and n."""
    return {
        "value": found.value_ms,
        "low": found.low_ms,
        "high": found.high_ms,
        "over_limit": found.over_limit,
        "n": found.n,
    }


def percent_cell(estimate: Estimate) -> str:
    """`68.3% [54.5, 79.5]`, unknown is a dash."""
    if estimate.value is None:
        return wording.UNKNOWN
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.1%}"
    return f"{estimate.value:.1%} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def number_cell(estimate: Estimate, digits: int) -> str:
    """`0.929 [0.915, 0.943]`, unknown is a dash."""
    if estimate.value is None:
        return wording.UNKNOWN
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.{digits}f}"
    return f"{estimate.value:.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def ms_cell(found: QuantileFigure) -> str:
    """`4,288 [4,114, -]`: milliseconds, a dash for a bound that is not known."""
    if found.over_limit:
        return "over any limit (failures)"
    if found.value_ms is None:
        return wording.UNKNOWN
    low = "-" if found.low_ms is None else f"{found.low_ms:,.0f}"
    high = "-" if found.high_ms is None else f"{found.high_ms:,.0f}"
    return f"{found.value_ms:,.0f} [{low}, {high}]"


def _points(found: Difference) -> str:
    if found.value is None:
        return wording.UNKNOWN
    if found.low is None or found.high is None:
        return f"{100 * found.value:+.1f}"
    return f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
