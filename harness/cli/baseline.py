"""`harness baseline`: open-loop load on a service, every request recorded, a report at the end."""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.console import DEFAULT_STORE, JsonOption, StoreOption, err, out, print_json
from harness.cli.lazy import command
from harness.errors import EXIT_FAIL, EXIT_INTERRUPTED, UsageError
from harness.figures.goodput import Objectives
from harness.gate.config import parse_duration_ms
from harness.inputs import is_file
from harness.load.plan import (
    DEFAULT_DURATION_S,
    DEFAULT_RPS,
    IN_FLIGHT_CAP,
    SHAPES,
    header_variables,
    replay_offsets,
)
from harness.load.run import BaselinePlan, run_baseline
from harness.load.scenario.shipped import DEFAULT_SCENARIO
from harness.load.workers import join_master
from harness.processes.embedded import EmbeddedTarget
from harness.records import RunStatus

app = command()


@app.command()
def baseline(
    *,
    target: Annotated[
        str | None,
        typer.Option(envvar="PERF_TARGET_URL", help="Base URL; none starts an emulated service on loopback."),
    ] = None,
    rps: Annotated[
        float, typer.Option(envvar="PERF_RPS", min=0, help="Requests per second offered.")
    ] = DEFAULT_RPS,
    duration: Annotated[
        float, typer.Option(envvar="PERF_DURATION_SEC", min=0.001, help="Seconds of arrivals.")
    ] = DEFAULT_DURATION_S,
    arrivals: Annotated[
        str | None,
        typer.Option(
            help=f"How requests are spread: {', '.join(SHAPES)} (default: the scenario's, or constant)."
        ),
    ] = None,
    peak_rps: Annotated[
        float | None,
        typer.Option(min=0, help="Where a ramp, spike or staircase goes (default: 4 times --rps)."),
    ] = None,
    steps: Annotated[int, typer.Option(min=2, max=1000, help="Steps of --arrivals steps.")] = 5,
    replay: Annotated[
        str | None,
        typer.Option(
            help="Repeat the arrivals of a stored run, or of a file of milliseconds.", metavar="RUN|FILE"
        ),
    ] = None,
    users: Annotated[
        int | None,
        typer.Option(min=1, max=IN_FLIGHT_CAP, help="Closed loop: so many users instead of a rate."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Locust processes sharing the schedule.")] = 1,
    master: Annotated[
        str | None,
        typer.Option(help="Wait here for --workers on other machines.", metavar="HOST:PORT"),
    ] = None,
    worker: Annotated[
        str | None,
        typer.Option(help="Be a worker of the master there; --scenario must match.", metavar="HOST:PORT"),
    ] = None,
    scenario: Annotated[
        str,
        typer.Option(help="What is asked: a scenario file of your own, or one of `harness scenarios list`."),
    ] = DEFAULT_SCENARIO,
    model: Annotated[str | None, typer.Option(help="For scenarios whose target is a bare model.")] = None,
    cases: Annotated[
        Path | None, typer.Option(help="Cases to send: JSONL, YAML, CSV or text (default: the scenario's).")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of arrivals and of the order of cases.")] = 0,
    name: Annotated[str | None, typer.Option(help="The run's name (default: baseline-DATE-TIME).")] = None,
    max_requests: Annotated[int | None, typer.Option(min=1, help="Send at most so many.")] = None,
    max_p95: Annotated[
        str, typer.Option(help="The latency limit of gate and goodput, with its unit: 8s, 800ms.")
    ] = "8s",
    slo_ttft_ms: Annotated[
        float | None, typer.Option(min=0, help="Goodput: latest first token, milliseconds.")
    ] = None,
    slo_itl_ms: Annotated[
        float | None, typer.Option(min=0, help="Goodput: largest mean gap between tokens, milliseconds.")
    ] = None,
    stop_early: Annotated[
        bool, typer.Option("--stop-early", help="Stop as soon as the sequential test has decided.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until a request has failed.")] = 60.0,
    header: Annotated[
        list[str] | None, typer.Option(help="'Name: env:VARIABLE'; the value is never stored.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The target may be another machine.")] = False,
    allow_fixtures: Annotated[
        bool, typer.Option("--allow-fixtures", help="Measure a target that answers from fixtures.")
    ] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Load a target that failed the warm-up request.")
    ] = False,
    speed: Annotated[float, typer.Option(min=0.01, help="Embedded: divide latencies by this.")] = 1.0,
    defect_rate: Annotated[
        float | None, typer.Option(min=0, max=1, help="Embedded: share of drafts to repair.")
    ] = None,
    faults: Annotated[
        str | None, typer.Option(help="Embedded: fault rules, a file or JSON.", metavar="FILE|JSON")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Embedded: the emulator's own account.")] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Drive load at a service and record every request: latency, cost and tier on one row.

    Example: harness baseline --target http://127.0.0.1:3101 --rps 2 --duration 60
    """
    if worker is not None:
        join_master(_address(worker, "--worker"), scenario)
    limit_ms = parse_duration_ms(max_p95)
    load: dict[str, Any] = {
        "rps": rps,
        "duration_s": duration,
        "peak_rps": peak_rps,
        "step_count": steps,
        "replay_ms": _replay(arrivals, replay, store),
        "users": users,
        "workers": workers,
        "model": model,
        "seed": seed,
        "max_requests": max_requests,
        "timeout_s": timeout,
        "header_env": header_variables(header or []),
    }
    if cases is not None:
        load["cases_path"] = cases.resolve()
    if arrivals is not None or replay is not None:
        load["shape"] = "replay" if replay is not None else arrivals
    plan = BaselinePlan(
        store_dir=store,
        target=target,
        scenario=scenario,
        load=load,
        name=name,
        confirmed=yes,
        allow_fixtures=allow_fixtures,
        keep_going=keep_going,
        stop_early=stop_early,
        limit_ms=limit_ms,
        bind=None if master is None else ":".join(_address(master, "--master")),
        embedded=EmbeddedTarget(speed=speed, defect_rate=defect_rate, faults=faults, ledger=ledger),
    )
    outcome = run_baseline(plan, err)
    from harness.cli.conclusion import conclude  # noqa: PLC0415 - statistics load after the run, not before

    objectives = Objectives(latency_ms=limit_ms, ttft_ms=slo_ttft_ms, itl_ms=slo_itl_ms)
    conclusion = conclude(store, outcome.run_id, limit_ms=limit_ms, objectives=objectives)
    if as_json:
        print_json(conclusion.as_json())
    else:
        conclusion.show(out)
    if outcome.asked_to_end:
        raise typer.Exit(EXIT_INTERRUPTED)
    raise typer.Exit(EXIT_FAIL if outcome.status in (RunStatus.INTERRUPTED, RunStatus.FAILED) else 0)


def _address(text: str, option: str) -> tuple[str, str]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{option}: '{text[:60]}' is not HOST:PORT")
    return host, port


def _replay(arrivals: str | None, source: str | None, store: Path) -> tuple[float, ...]:
    """Start times, milliseconds: from a file, or of a stored run."""
    if source is None:
        if arrivals == "replay":
            raise UsageError("--arrivals replay needs --replay RUN or FILE")
        return ()
    if arrivals not in (None, "constant", "replay"):
        raise UsageError(f"--replay repeats recorded arrivals: it does not go with --arrivals {arrivals}")
    if is_file(Path(source)):
        return replay_offsets(Path(source))
    from harness.store import open_store  # noqa: PLC0415 - DuckDB only where a run is read

    with open_store(store).snapshot() as view:
        rows = view.requests(view.run(source).run_id)
    return tuple(row.scheduled_at.timestamp() * 1000 for row in rows if row.scheduled_at is not None)
