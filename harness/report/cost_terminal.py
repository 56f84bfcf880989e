"""A cost breakdown drawn for people: the arithmetic, the totals, the alternatives."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.pricing import money_usd
from harness.pricing.breakdown import Alternative, CostBreakdown, PricedCall
from harness.report.cost import monthly

if TYPE_CHECKING:
    from harness.figures.spending import CostRow

_KINDS = {
    "input": "input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write 5m",
    "cache_write_1h": "cache write 1h",
    "output": "output",
    "reasoning": "reasoning",
    "request": "per request",
}


def draw_breakdown(
    console: Console,
    breakdown: CostBreakdown,
    calls: Sequence[PricedCall],
    *,
    per_month: int | None = None,
    estimated: bool = False,
) -> None:
    """Print a breakdown of one planned request, line by line, and what else it could have cost."""
    console.print(_arithmetic(breakdown, calls))
    draw_comparison(console, breakdown, per_month=per_month)
    if estimated:
        console.print("Input tokens are estimated from the text, without a tokenizer; real counts differ.")
    for call in calls:
        if call.priced.cost_usd is None:
            console.print(Text(f"{call.role} {call.ref}: {call.priced.problem}; its cost is unknown, not 0."))
    sources = {(c.priced.price_source, c.priced.price_version) for c in calls}
    named = sorted(" ".join(part for part in source if part) for source in sources if source[0])
    if named:
        console.print(Text(f"Prices: {', '.join(named)}.", style="dim"))


def draw_run(
    console: Console, breakdown: CostBreakdown, rows: Sequence["CostRow"], *, per_month: int | None = None
) -> None:
    """Print a recorded run's cost by role and model, and what else the same tokens could have cost."""
    table = Table(box=None, pad_edge=False)
    for column in ("role", "model"):
        table.add_column(column, overflow="fold")
    for column in ("calls", "tokens in", "tokens out", "cost"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.role,
            Text(f"{row.provider}/{row.model}"),
            f"{row.calls:,}",
            _count(row.input_tokens),
            _count(row.output_tokens),
            usd(None if row.cost_usd is None else money_usd(row.cost_usd)),
        )
    total = Text(usd(breakdown.known_cost_usd), "bold green")
    table.add_row(
        "total", Text(_excluded(breakdown), "yellow"), f"{sum(r.calls for r in rows):,}", "", "", total
    )
    console.print(table)
    if breakdown.n_compared < breakdown.n_requests:
        console.print(
            f"Compared: the {breakdown.n_compared:,} of {breakdown.n_requests:,} requests whose every call "
            "has a known cost and known tokens."
        )
    draw_comparison(console, breakdown, per_month=per_month)


def draw_comparison(console: Console, breakdown: CostBreakdown, *, per_month: int | None = None) -> None:
    """Print the naive figure, every single-model alternative and the monthly projection."""
    if breakdown.n_compared == 0:
        return
    table = Table(title="The same tokens, priced otherwise", title_justify="left", box=None, pad_edge=False)
    table.add_column("method", overflow="fold")
    table.add_column("cost", justify="right")
    table.add_column("this mix against it", justify="right")
    table.add_row("each call at its own price", usd(breakdown.compared_cost_usd), "")
    table.add_row(
        "naive: all at the draft's price",
        usd(breakdown.naive_cost_usd),
        _misstated(breakdown.misstatement_ratio),
    )
    for alternative in breakdown.alternatives:
        table.add_row(Text(f"all at {alternative.ref}"), usd(alternative.cost_usd), _saved(alternative))
    console.print(table)
    if len(breakdown.alternatives) > 1:
        console.print("Other models would count the same text as somewhat more or fewer tokens.", style="dim")
    if per_month is not None:
        _draw_month(console, breakdown, per_month)


def usd(amount_usd: Decimal | None) -> str:
    """An amount with every digit it has; a dash when unknown."""
    return "-" if amount_usd is None else f"${amount_usd:,f}"


def percent(ratio: Decimal, *, signed: bool = False) -> str:
    """A ratio as a percentage to one decimal."""
    return f"{ratio * 100:{'+' if signed else ''}.1f}%"


def _arithmetic(breakdown: CostBreakdown, calls: Sequence[PricedCall]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("call", "model", "tokens"):
        table.add_column(column, overflow="fold")
    for column in ("count", "$/million", "cost"):
        table.add_column(column, justify="right", no_wrap=True)
    for call in calls:
        name, model = str(call.role), Text(str(call.ref))
        for line in call.priced.lines:
            table.add_row(
                name,
                model,
                _KINDS[line.kind],
                f"{line.tokens:,}",
                f"{line.usd_per_mtok:f}",
                _exact(line.cost_usd),
            )
            name, model = "", Text("")
        label = f"{call.role} cost" if call.priced.price_source != "declared" else "free by declaration"
        table.add_row(name, model, Text(label, style="bold"), "", "", Text(usd(call.priced.cost_usd), "bold"))
    if breakdown.unpriced_calls:
        note = Text(_excluded(breakdown), style="yellow")
        table.add_row("total", note, "", "", "", usd(breakdown.known_cost_usd))
    else:
        table.add_row("total", "", "", "", "", Text(usd(breakdown.cost_usd), "bold green"))
    return table


def _excluded(breakdown: CostBreakdown) -> str:
    n = breakdown.unpriced_calls
    return f"excludes {n:,} unpriced call{'s' if n > 1 else ''}" if n else ""


def _count(tokens: int | None) -> str:
    return "-" if tokens is None else f"{tokens:,}"


def _exact(amount_usd: Decimal) -> str:
    return f"${amount_usd.normalize():f}"


def _misstated(ratio: Decimal | None) -> str:
    if ratio is None:
        return "-"
    return "the same" if ratio == 0 else f"misstated by {percent(ratio, signed=True)}"


def _saved(alternative: Alternative) -> str:
    saving, times = alternative.saving_ratio, alternative.cost_ratio
    if saving is None or times is None:
        return "-"
    if saving == 0:
        return "the same"
    if saving > 0:
        return f"saving {percent(saving)} (it costs {times:.1f}x)"
    return f"saving {percent(saving)} (it costs less)"


def _draw_month(console: Console, breakdown: CostBreakdown, per_month: int) -> None:
    month = monthly(breakdown, per_month)
    cost, single, saving = month.values()
    sentence = f"At {per_month:,} requests a month: {usd(cost)}"
    if single is not None and single != cost:
        sentence += f", against {usd(single)} with the draft's model alone (saving {usd(saving)})"
    console.print(Text(sentence + "."))
