"""`harness emulate`: a loopback stand-in for the providers."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.lazy import command
from harness.emulator.faults import load_rules
from harness.emulator.server import serve
from harness.emulator.settings import DEFAULT_SEED, EmulatorSettings
from harness.outputs import replace_file
from harness.processes.lifeline import watch_lifeline

app = command()


@app.command()
def emulate(  # noqa: PLR0917 - a command line
    host: Annotated[str, typer.Option(help="An address of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 lets the system choose.")] = 0,
    speed: Annotated[float, typer.Option(help="Latencies are divided by this; 1 is realistic.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = DEFAULT_SEED,
    defect_rate: Annotated[
        float | None,
        typer.Option(help="Share of drafts with a broken rule; each model's own when not given."),
    ] = None,
    rpm: Annotated[int | None, typer.Option(help="Requests per minute each model may take.")] = None,
    faults: Annotated[
        str | None, typer.Option(help="Fault rules: a JSON file, or JSON as typed.", metavar="FILE|JSON")
    ] = None,
    ledger: Annotated[Path | None, typer.Option(help="Write one JSON line for each request here.")] = None,
    port_file: Annotated[Path | None, typer.Option(help="Write the port here once ready.")] = None,
    chunks: Annotated[int, typer.Option(help="Most content events in one stream.")] = 8,
) -> None:
    """Speak the wires of Anthropic, OpenAI, Gemini and Bedrock on loopback, with known latency and costs.

    Example: harness emulate --port 4010 --speed 20 --faults '[{"kind":"429","rate":0.1}]'
    """
    watch_lifeline()
    settings = EmulatorSettings(
        seed=seed,
        speed=speed,
        defect_rate=defect_rate,
        rpm=rpm,
        faults=load_rules(faults) if faults else (),
        ledger=ledger,
        chunks=chunks,
    )

    def announce(url: str, bound_port: int) -> None:
        gc.collect()
        gc.freeze()  # a full collection over all that is loaded by now would make answers late
        if port_file is not None:
            replace_file(port_file, f"{bound_port}\n".encode())
        print(f"listening on {url}", flush=True)

    serve(settings, host=host, port=port, on_ready=announce)
