"""Clients that leave before their answer."""

from starlette.requests import Request

from harness.service.engine import Engine
from harness.service.work import ResultTask


async def client_left(request: Request, engine: Engine, work: ResultTask) -> None:
    """Wait for the client to leave, then cancel its work, unless abandoned work is to finish.

    Nothing is sent between stages, so no send would notice it.
    """
    while (await request.receive())["type"] != "http.disconnect":
        pass
    if work.done():
        return
    engine.traffic.refused("client_left", "the client left before its answer")
    if not engine.settings.finish_abandoned:
        work.cancel()
