"""`harness cost`: what a draft and a repair cost, apart and together, and what other mixes would."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, out, print_json
from harness.cli.price_options import AtOption, PricesOption, parse_moment
from harness.errors import UnpricedModelError, UsageError
from harness.pricing import PriceBook
from harness.pricing.breakdown import CostBreakdown, PricedCall, cost_breakdown, price_call
from harness.pricing.estimate import estimated_tokens
from harness.pricing.spec import CallSpec, parse_call, parse_model
from harness.records import Role
from harness.report.cost import call_payload, cost_payload
from harness.report.cost_terminal import draw_breakdown

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_MOST_TEXT_BYTES = 64 * 1024 * 1024


@app.command()
def cost(
    *,
    draft: Annotated[
        str | None, typer.Option(help="The draft: provider/model:in/out[,read=N,write=N,write1h=N].")
    ] = None,
    repair: Annotated[str | None, typer.Option(help="The repair, written like the draft.")] = None,
    text: Annotated[
        Path | None, typer.Option(help="Estimate the input tokens from this file where `in` is `text`.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="A recorded run: its id, name or `latest`, instead of --draft.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    compare: Annotated[
        list[str] | None, typer.Option(help="Another provider/model to compare with; may be repeated.")
    ] = None,
    per_month: Annotated[
        int | None, typer.Option(min=1, max=10**9, help="Project to this many requests a month.")
    ] = None,
    context: Annotated[str, typer.Option(help="standard, batch, priority, flex or fast.")] = "standard",
    at: AtOption = None,
    prices: PricesOption = None,
    allow_unpriced: Annotated[
        bool, typer.Option("--allow-unpriced", help="Go on without a price: that cost is unknown, never 0.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """What a draft and a repair cost, apart and together, the naive figure, and every single provider.

    Example: harness cost --draft anthropic/claude-3-5-sonnet-20241022:2000/1500
    --repair openai/gpt-4o-mini:800/400 --per-month 100000
    """
    book = PriceBook.load(prices)
    also = [parse_model(name, "--compare") for name in compare or ()]
    if run is not None:
        if draft is not None or repair is not None or text is not None:
            raise UsageError("--run takes its calls from the store: leave out --draft, --repair and --text")
        from harness.cli.cost.recorded import show_run  # noqa: PLC0415 - the store, which planned calls need not

        show_run(store, run, book, also, per_month=per_month, as_json=as_json)
        return
    moment = parse_moment(at) or datetime.now(UTC)
    if draft is None:
        raise UsageError("say what to price: --draft provider/model:in/out, or --run RUN")
    tokens = _tokens_of(text)
    specs = [(Role.DRAFT, parse_call(draft, "--draft", text_tokens=tokens))]
    if repair is not None:
        specs.append((Role.REPAIR, parse_call(repair, "--repair", text_tokens=tokens)))
    if text is not None and not any(spec.from_text for _, spec in specs):
        raise UsageError(f"--text {text}: write `text` for the input tokens, like openai/gpt-4o:text/1200")
    calls = [
        _priced(book, role, spec, at=moment, context=context, allow_unpriced=allow_unpriced)
        for role, spec in specs
    ]
    breakdown = cost_breakdown([calls], book, also=also)
    estimated = any(spec.from_text for _, spec in specs)
    if as_json:
        print_json(_payload(breakdown, calls, per_month, estimated=estimated))
    else:
        draw_breakdown(out, breakdown, calls, per_month=per_month, estimated=estimated)


def _priced(
    book: PriceBook, role: Role, spec: CallSpec, *, at: datetime, context: str, allow_unpriced: bool
) -> PricedCall:
    call = price_call(book, role, spec.ref, spec.usage, at=at, context=context)
    if call.priced.cost_usd is None and not allow_unpriced:
        if call.priced.price_source is None and context == "standard":
            because = book.unpriced_because(spec.ref.provider, spec.ref.model, at=at)
            raise UnpricedModelError(spec.ref.provider, spec.ref.model, because)
        raise UsageError(f"--{role}: {call.priced.problem}")
    return call


def _tokens_of(text: Path | None) -> int | None:
    if text is None:
        return None
    try:
        if text.stat().st_size > _MOST_TEXT_BYTES:
            raise UsageError(f"--text {text}: larger than {_MOST_TEXT_BYTES} bytes")
        return estimated_tokens(text.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--text {text}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"--text {text}: is not UTF-8 text") from error


def _payload(
    breakdown: CostBreakdown, calls: list[PricedCall], per_month: int | None, *, estimated: bool
) -> dict[str, Any]:
    payload: dict[str, Any] = cost_payload(breakdown, per_month=per_month)
    payload["input_tokens_estimated"] = estimated
    payload["draft"] = call_payload(calls[0])
    payload["repair"] = call_payload(calls[1]) if len(calls) > 1 else None
    return payload
