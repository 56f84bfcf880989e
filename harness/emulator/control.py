"""The emulator's own routes: health, faults, ledger and statistics."""

from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.emulator.engine import Engine
from harness.emulator.faults import rules_from
from harness.errors import HarnessError
from harness.inputs import parse_json

_POSTED = "POST /_emulator/faults"


def control_routes(engine: Engine) -> list[Route]:
    """Routes under `/_emulator`, and `/healthz`."""

    async def health(request: Request) -> Response:  # noqa: ARG001 - Starlette's signature
        return _json(
            {"ok": True, "emulator": True, "seed": engine.settings.seed, "speed": engine.settings.speed}
        )

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                engine.plan.rules = rules_from(parse_json(await request.body(), _POSTED), _POSTED)
            except HarnessError as error:
                return _json({"error": str(error)}, 400)
        elif request.method == "DELETE":
            engine.plan.rules = ()
        return _json({"faults": [rule.model_dump(mode="json") for rule in engine.plan.rules]})

    async def ledger(request: Request) -> Response:
        since = _since(request)
        if since is None:
            return _no_number()
        rows = [asdict(entry) for entry in engine.ledger.entries if entry.seq > since]
        return _json({"entries": rows})

    async def lateness(request: Request) -> Response:
        since = _since(request)
        return _no_number() if since is None else _json(engine.ledger.lateness(since))

    async def stats(request: Request) -> Response:  # noqa: ARG001
        return _json(engine.ledger.stats())

    return [
        Route("/healthz", health),
        Route("/_emulator/faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_emulator/ledger", ledger),
        Route("/_emulator/lateness", lateness),
        Route("/_emulator/stats", stats),
    ]


def _json(value: Any, status: int = 200) -> Response:
    return Response(
        orjson.dumps(value), status, headers={"x-harness-emulated": "1"}, media_type="application/json"
    )


def _since(request: Request) -> int | None:
    """The number that entries come after; None for something else."""
    try:
        return int(request.query_params.get("since", "0"))
    except ValueError:
        return None


def _no_number() -> Response:
    return _json({"error": "since must be a sequence number"}, 400)
