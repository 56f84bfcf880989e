"""`harness serve`: the reference service."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.console import DEFAULT_STORE
from harness.cli.lazy import command
from harness.cli.price_options import PricesOption
from harness.errors import UsageError
from harness.orchestration import Routing, resolve_routing, resolve_strategy
from harness.processes.lifeline import watch_lifeline
from harness.service import ServiceSettings, create_app
from harness.service.server import Listening, run_server
from harness.service.shadow import ShadowSettings
from harness.telemetry import configured_sinks

app = command()
MOST_GRACE_S = 60.0


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 lets the system pick.")] = 3101,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here when ready.")] = None,
    store: Annotated[
        Path, typer.Option("--store", envvar="HARNESS_STORE", help="The store's folder.")
    ] = DEFAULT_STORE,
    telemetry_header: Annotated[
        bool, typer.Option(help="Answer X-Assist-Telemetry: 1 with the request's event.")
    ] = False,
    telemetry_jsonl: Annotated[
        Path | None, typer.Option(help="Append every event to this file, one JSON object a line.")
    ] = None,
    environment: Annotated[
        str | None, typer.Option(help="The environment as recorded (else HARNESS_ENV, DD_ENV).")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="A strategy's name or file (else LLM_STRATEGY, else the routing).")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="The providers file (else PROVIDERS_CONFIG_PATH).")
    ] = None,
    prices: PricesOption = None,
    budget: Annotated[
        str | None, typer.Option(help="Most that this service's lifetime may spend, USD.")
    ] = None,
    store_content: Annotated[
        bool, typer.Option("--store-content", help="Keep prompts and outputs in the store.")
    ] = False,
    allow_fixtures: Annotated[
        bool, typer.Option("--allow-fixtures", help="Let fixtures serve in production; raises an alert.")
    ] = False,
    allow_unpriced: Annotated[
        bool, typer.Option("--allow-unpriced", help="Run models without a price; their cost stays unknown.")
    ] = False,
    grace: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds that requests in flight may go on after SIGTERM [default: 55]."),
    ] = None,
    finish_abandoned: Annotated[
        bool, typer.Option("--finish-abandoned", help="Let a request go on when its client has left.")
    ] = False,
    access_log: Annotated[
        bool, typer.Option("--access-log", help="Print one JSON line for each answer.")
    ] = False,
    circuit_breaker: Annotated[
        float | None,
        typer.Option(min=0.1, help="Do not ask a provider that keeps failing for so many seconds."),
    ] = None,
    shadow: Annotated[
        str | None, typer.Option(help="A strategy that answers a share of the requests as well, unseen.")
    ] = None,
    shadow_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of the requests that --shadow answers too.")
    ] = 0.05,
    shadow_budget: Annotated[str | None, typer.Option(help="Most that --shadow may spend, USD.")] = None,
    max_connections: Annotated[int, typer.Option(min=1, help="Connections open at once.")] = 4096,
) -> None:
    """Serve the reference pipeline over HTTP.

    Example: harness serve --strategy hybrid --port 3101
    """
    watch_lifeline()
    env = dict(os.environ)
    if environment is not None:
        env["HARNESS_ENV"] = environment
    routing = resolve_routing(env, config_path=config)
    settings = ServiceSettings(
        routing=routing,
        strategy=resolve_strategy(routing, strategy),
        store_dir=store,
        telemetry=telemetry_header,
        allow_fixtures=allow_fixtures,
        allow_unpriced=allow_unpriced,
        prices_path=prices,
        run_budget_usd=_usd(budget),
        store_content=store_content,
        finish_abandoned=finish_abandoned,
        access_log=access_log,
        circuit_open_s=circuit_breaker,
        shadow=_shadow(routing, shadow, shadow_share, shadow_budget),
        sinks=configured_sinks(env, jsonl=telemetry_jsonl, environment=routing.environment),
    )
    listening = Listening(
        host=host,
        port=port,
        port_file=port_file,
        grace_s=min(MOST_GRACE_S, settings.deadline_s) if grace is None else grace,
        max_connections=max_connections,
    )
    run_server(lambda: create_app(settings), listening)


def _shadow(
    routing: Routing, strategy: str | None, share: float, budget: str | None
) -> ShadowSettings | None:
    if strategy is None:
        if budget is not None:
            raise UsageError("--shadow-budget needs --shadow: there is nothing to spend it on")
        return None
    most = _usd(budget, "--shadow-budget")
    if most is None:
        raise UsageError("--shadow spends money of its own: say how much at most with --shadow-budget USD")
    return ShadowSettings(strategy=resolve_strategy(routing, strategy), share=share, budget_usd=most)


def _usd(text: str | None, flag: str = "--budget") -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except ArithmeticError as error:
        raise UsageError(f"{flag}: '{text[:40]}' is not a number of dollars") from error
    if not amount.is_finite() or amount <= 0:
        raise UsageError(f"{flag}: '{text[:40]}' must be more than 0 dollars")
    return amount
