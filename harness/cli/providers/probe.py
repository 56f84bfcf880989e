"""`harness providers probe`: what an endpoint really does, and the entry that reaches it."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from harness.cli.console import JsonOption, out, print_json
from harness.cli.lazy import command
from harness.cli.price_options import PricesOption
from harness.cli.providers.entry import found_entry, is_priced, write_entry
from harness.errors import EXIT_FAIL, UsageError
from harness.load.preflight import is_loopback
from harness.orchestration import resolve_routing
from harness.orchestration.routing import AUTO, Route
from harness.pricing import PriceBook
from harness.providers import ProviderSettings
from harness.providers.limits import Allowance
from harness.providers.probing import Observed, Probe
from harness.providers.probing import probe as ask

app = command()

_WINDOWS = {
    1.0: "second",
    10.0: "10 seconds",
    60.0: "minute",
    3600.0: "hour",
    86400.0: "day",
    2592000.0: "month",
}


@app.command()
def probe(
    name: Annotated[str, typer.Argument(help="A configured provider, or the name to give to a new one.")],
    *,
    model: Annotated[str, typer.Option(help="The model to ask; `auto` is the provider's default.")] = AUTO,
    base_url: Annotated[
        str | None, typer.Option(help="A new provider's address, as the SDK takes it.")
    ] = None,
    kind: Annotated[str, typer.Option(help="A new provider's wire format.")] = "openai",
    key_env: Annotated[str | None, typer.Option(help="The variable that holds a new provider's key.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="The providers file (else PROVIDERS_CONFIG_PATH).")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Ask a provider that is not on this machine: two paid requests.")
    ] = False,
    write: Annotated[
        Path | None, typer.Option(help="Put the entry into this providers file; made if there is none.")
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, max=600, help="Of each request, seconds.")] = 60.0,
    prices: PricesOption = None,
    as_json: JsonOption = False,
) -> None:
    """One tiny request streamed and one whole: what the endpoint does, and the entry for it.

    Exit code 1 when neither was answered; nothing is written then.

    Example: harness providers probe openai --live
    """
    settings, asked, variable = _target(name, model, config, base_url=base_url, kind=kind, key_env=key_env)
    if not live and not (settings.base_url and is_loopback(settings.base_url)):
        where = settings.base_url or f"the {settings.kind} API"
        raise UsageError(f"{where} is not on this machine: --live sends it two tiny paid requests")
    found = asyncio.run(ask(settings, asked, timeout_s=timeout))
    answered = found.streamed.is_answered or found.whole.is_answered
    priced = is_priced(PriceBook.load(prices), settings, found)
    entry = found_entry(settings, variable, found, is_priced=priced) if answered else None
    if entry and write:
        write_entry(write, name, entry)
    if as_json:
        print_json({"provider": name, "model": asked, "priced": priced, "entry": entry} | _payload(found))
    else:
        _draw(name, found, entry, priced=priced)
        if entry and write:
            out.print(Text(f"Written to {write}."))
    if not answered:
        raise typer.Exit(EXIT_FAIL)


def _target(
    name: str, model: str, config: Path | None, *, base_url: str | None, kind: str, key_env: str | None
) -> tuple[ProviderSettings, str, str | None]:
    """How the provider is reached, the model to ask, and the variable of its key."""
    env = dict(os.environ)
    if base_url is not None:
        if model == AUTO:
            raise UsageError("--model: a new provider has no default model; name one")
        key = env.get(key_env) if key_env else None
        if key_env and not key:
            raise UsageError(f"--key-env {key_env}: the variable is not set")
        return ProviderSettings(name=name, kind=kind, base_url=base_url, api_key=key), model, key_env
    routing = resolve_routing(env, config_path=config)
    route: Route = routing.route_to(name, model, origin="NAME")
    if route.is_fixtures:
        raise UsageError("canned answers (fixtures) are no endpoint to probe")
    route.require_key()
    return route.settings, route.model, routing.providers[name].api_key_env


def _payload(found: Probe) -> dict[str, Any]:
    return {"streamed": _observed(found.streamed), "whole": _observed(found.whole)}


def _observed(seen: Observed) -> dict[str, Any]:
    told = asdict(seen)
    told["terms"] = seen.terms.material() if seen.terms else None
    return told


def _draw(name: str, found: Probe, entry: dict[str, Any] | None, *, priced: bool) -> None:
    table = Table(title=f"{name}, asked for {found.model}", title_justify="left", box=None, pad_edge=False)
    for column in ("", "streamed", "whole"):
        table.add_column(column, overflow="fold")
    for row in zip(_lines(found.streamed), _lines(found.whole), strict=True):
        (what, streamed), (_, whole) = row
        table.add_row(what, Text(streamed), Text(whole))
    out.print(table)
    if not priced:
        out.print(Text("The price book has no price for the model that answered.", "yellow"))
    if entry is None:
        out.print(Text("Neither request was answered: no entry.", "red"))
        return
    out.print(Text("The entry for a providers file:"))
    out.print(Text(orjson.dumps({"providers": {name: entry}}, option=orjson.OPT_INDENT_2).decode()))


def _lines(seen: Observed) -> Iterator[tuple[str, str]]:
    usage = seen.usage
    yield "answer", seen.problem or "whole and complete"
    yield "arrives", {True: "as a stream", False: "in one piece", None: "not at all"}[seen.came_streamed]
    yield "content type", seen.content_type or "untold"
    yield "ends with [DONE]", "yes" if seen.says_done else "no"
    yield "usage at", ", ".join(seen.usage_at) or "nowhere"
    yield "usage", f"{usage.input_tokens} in, {usage.output_tokens} out" if usage else "unknown"
    yield "mended", "; ".join(seen.remarks) or "nothing"
    yield "finish reason", seen.finish_reason or "untold"
    yield "served model", seen.served_model or "untold"
    yield (
        "request id",
        f"{seen.request_id} ({seen.request_id_header or 'in the body'})" if seen.request_id else "none",
    )
    yield "own cost", "untold" if seen.provider_cost_usd is None else f"${seen.provider_cost_usd:f}"
    yield "rate limits", "; ".join(map(_limit, seen.rate_limits)) or "untold"


def _limit(limit: Allowance) -> str:
    window = _WINDOWS.get(limit.window_s, f"{limit.window_s:g} seconds")
    how = {"name": "", "reset": ", by limit, remainder and reset", "assumed": ", assumed: nothing tells"}
    return f"{limit.limit:.15g} {limit.kind} a {window}{how[limit.window_from]}"
