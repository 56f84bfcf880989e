"""`harness eval show CASE`: what each strategy answered, side by side."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.table import Table
from rich.text import Text

from harness.cli.console import out, print_json
from harness.evaluation.answers import CaseAnswer, case_answers, find_case


def show_case(store: Path, run: str, wanted: str, *, as_json: bool) -> None:
    """Print the answers to one case of a run.

    Raises:
        UsageError: no such case, or several.
        StoreError, UnknownRunError: no such store or run.
    """
    from harness.store import open_store  # noqa: PLC0415 - DuckDB loads when something is shown

    opened = open_store(store)
    opened.ingest(wait=False)
    with opened.snapshot() as view:
        run_id = view.run(run).run_id
        case_id = find_case(view, run_id, wanted)
        answers = case_answers(view, run_id, case_id)
    if as_json:
        print_json({"run_id": run_id, "case_id": case_id, "answers": [asdict(answer) for answer in answers]})
        return
    out.print(Text(f"{case_id} of {run_id}", style="bold"))
    asked = next((answer.asked for answer in answers if answer.asked), None)
    if asked is not None:
        out.print(Text(asked, style="dim"))
    out.print(_side_by_side(answers))
    if all(answer.text is None for answer in answers):
        out.print(Text("no answer was kept: --store-content keeps them", style="yellow"))


def _side_by_side(answers: Sequence[CaseAnswer]) -> Table:
    table = Table(*(_head(answer) for answer in answers), show_lines=True)
    table.add_row(*(Text(answer.text or answer.error or "(not kept)") for answer in answers))
    table.add_row(*(Text(_figures(answer)) for answer in answers))
    return table


def _head(answer: CaseAnswer) -> str:
    again = f" ({answer.repeat})" if (answer.repeat or 1) > 1 else ""
    return f"{answer.strategy}{again}"


def _figures(answer: CaseAnswer) -> str:
    tier = "ungraded" if answer.tier is None else f"{answer.tier} ({answer.score:.2f})"
    cost = "cost unknown" if answer.cost_usd is None else f"${answer.cost_usd:f}"
    late = "" if answer.latency_ms is None else f", {answer.latency_ms:,.0f} ms"
    grades = [f"{name} {'-' if score is None else f'{score:.2f}'}" for name, score in answer.grades.items()]
    return "\n".join([f"{answer.status}, {tier}", f"{cost}{late}", *grades])
