"""`harness runs show`: what one run's figures are."""

import os
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.lazy import command
from harness.cli.run_source import OpenRun, TagOption, open_run
from harness.figures import all_figures, measure
from harness.figures.sides import Side, whole_side
from harness.figures.summary import run_head, run_summary
from harness.figures.tags import require_tags, tag_filters, tag_of_group
from harness.pricing import PriceBook
from harness.records import RunKind
from harness.records.told_by_tool import told_by
from harness.report.answering import answering, answering_payload, remarks
from harness.report.document import summary_document
from harness.report.groups import MOST_COLUMNS, group_head, group_rows, groups_document
from harness.report.rows import mode_banner
from harness.report.tables import plain_table
from harness.report.terminal import summary_table
from harness.report.told import told_table

app = command()


@app.command()
def show_run(
    run: Annotated[
        str, typer.Argument(help="`latest`, an id, a unique beginning of one, a name, or a report file.")
    ] = "latest",
    *,
    by: Annotated[
        str | None,
        typer.Option(metavar="GROUP", help="Figures by provider, model, strategy, hour, tag.NAME, ..."),
    ] = None,
    tag: TagOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Every figure of one run, each with its n and interval; of several strategies, each by itself.

    Example: harness runs show latest --by model
    """
    with open_run(run, store) as opened:
        tags = tag_filters(tag or [])
        whole = whole_side(opened.view, opened.run, tags=tags)
        if by is not None or tags:
            shown, document = _by_group(whole, by or "all")
        elif opened.run.kind is RunKind.EVAL or len(whole.strategies) > 1:
            shown, document = _evaluation(opened)
        else:
            shown, document = _summary(opened)
    told = told_by(opened.run.summary)
    if as_json:
        print_json({**document, "told": told.payload() if told else None})
    else:
        out.print(shown)
        if told is not None:
            out.print(told_table(told))


def _summary(opened: OpenRun) -> tuple[RenderableType, dict[str, Any]]:
    book = PriceBook.configured(os.environ)
    summary = run_summary(opened.view, opened.run, book=book)
    return _with_answering(opened, book, summary_table(summary), summary_document(summary))


def _evaluation(opened: OpenRun) -> tuple[RenderableType, dict[str, Any]]:
    from harness.figures.evaluation import evaluation_figures  # noqa: PLC0415 - needs SciPy, a baseline does not
    from harness.report.evaluation_document import evaluation_document  # noqa: PLC0415 - as above
    from harness.report.evaluation_terminal import evaluation_view  # noqa: PLC0415 - as above

    figures = evaluation_figures(opened.view, opened.run)
    book = PriceBook.configured(os.environ)
    return _with_answering(opened, book, evaluation_view(figures), evaluation_document(figures))


def _with_answering(
    opened: OpenRun, book: PriceBook, shown: RenderableType, document: dict[str, Any]
) -> tuple[RenderableType, dict[str, Any]]:
    """Say who answered otherwise than asked, and whose bill is far from ours."""
    found = answering(opened.view, opened.run.run_id, book)
    said = [Text(remark, style="yellow") for remark in remarks(found)]
    return Group(shown, *said), {**document, "answering": answering_payload(found)}


def _by_group(whole: Side, by: str) -> tuple[RenderableType, dict[str, Any]]:
    """The figures of each group of a run."""
    head, declared = run_head(whole.rows, whole.run), all_figures()
    name = tag_of_group(by)
    if name is not None:
        require_tags(whole.rows, [name])
    groups = measure(whole.rows, declared, by=by)
    parts: list[RenderableType] = [Text(f"{whole.label} ({head.run_id}) by {by}", style="bold")]
    if (banner := mode_banner(head.provider_mode)) is not None:
        parts.append(Text(banner, style="bold yellow"))
    parts.append(plain_table(group_head(groups), group_rows(declared, groups)))
    if (more := len(groups) - MOST_COLUMNS) > 0:
        parts.append(Text(f"{more:,} smaller groups not shown; --json has them all", style="dim"))
    return Group(*parts), groups_document(head, by, declared, groups)
