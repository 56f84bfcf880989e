"""Anthropic's routes beside the messages themselves: token counting, models, message batches."""

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.emulator.batch_store import Batch, BatchStore
from harness.emulator.engine import Engine
from harness.emulator.http import handler, json_response, read_object
from harness.emulator.model import input_bill
from harness.emulator.models import find_model, model_ids
from harness.emulator.offline import EXPIRED_STATUS, answer_offline
from harness.emulator.prompt_cache import CacheShare
from harness.emulator.wire import AnthropicMessages, WireError
from harness.emulator.wire.anthropic_request import read_messages

_CUSTOM_ID = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
MOST_BATCHED = 100_000


def anthropic_routes(engine: Engine) -> list[Route]:
    """The routes, bound to one emulator."""
    wire = AnthropicMessages()
    service = _Batches(engine, wire)
    table: list[tuple[str, str, Any]] = [
        ("/v1/messages/count_tokens", "POST", _count_tokens),
        ("/v1/messages/batches", "POST", service.create),
        ("/v1/messages/batches", "GET", service.index),
        ("/v1/messages/batches/{batch_id}", "GET", service.retrieve),
        ("/v1/messages/batches/{batch_id}", "DELETE", service.delete),
        ("/v1/messages/batches/{batch_id}/cancel", "POST", service.cancel),
        ("/v1/messages/batches/{batch_id}/results", "GET", service.results),
    ]
    return [Route(path, handler(wire, work), methods=[method]) for path, method, work in table]


def anthropic_model(model: str) -> dict[str, Any]:
    """One row of Anthropic's model list."""
    profile = find_model(model, "anthropic")
    if profile is None:
        raise WireError(404, "not_found_error", f"model: {model}")
    return {
        "type": "model",
        "id": model,
        "display_name": model.replace("-", " ").title(),
        "created_at": "2026-01-01T00:00:00Z",
        "lifecycle": "active",
        "max_input_tokens": profile.context_tokens,
        "max_tokens": profile.max_output_tokens,
    }


def anthropic_models() -> dict[str, Any]:
    """Anthropic's model list, one page."""
    rows = [anthropic_model(model) for model in model_ids("anthropic")]
    return {"data": rows, "has_more": False, "first_id": rows[0]["id"], "last_id": rows[-1]["id"]}


async def _count_tokens(request: Request) -> Response:
    ask = read_messages(await read_object(request), counting=True)
    return json_response({"input_tokens": input_bill(ask, CacheShare()).total_input})


class _Batches:
    def __init__(self, engine: Engine, wire: AnthropicMessages) -> None:
        self._engine = engine
        self._wire = wire
        self._store = BatchStore(engine.settings.speed)

    async def create(self, request: Request) -> Response:
        body = await read_object(request)
        items = body.get("requests")
        if set(body) - {"requests"} or not isinstance(items, list) or not items:
            raise WireError(400, "invalid_request_error", "requests: a non-empty array is required")
        for index, item in enumerate(items):
            if not isinstance(item, dict) or set(item) != {"custom_id", "params"}:
                message = f"requests.{index}: custom_id and params are required, and nothing else"
                raise WireError(400, "invalid_request_error", message)
            if _CUSTOM_ID.fullmatch(str(item["custom_id"])) is None:
                message = f"requests.{index}.custom_id: String should match pattern '{_CUSTOM_ID.pattern}'"
                raise WireError(400, "invalid_request_error", message)
        if len(items) > MOST_BATCHED:
            raise WireError(413, "request_too_large", f"requests: at most {MOST_BATCHED} items")
        names = [item["custom_id"] for item in items]
        if len(set(names)) != len(names):
            raise WireError(400, "invalid_request_error", "requests: custom_id must be unique within a batch")
        number = f"{self._engine.settings.seed}:{self._store.new_number()}".encode()
        batch_id = f"msgbatch_01{hashlib.blake2b(number, digest_size=10).hexdigest()}"
        batch = self._store.add(batch_id, len(items), lambda batch: self._work(batch, items))
        return json_response(_batch_row(batch, request))

    async def index(self, request: Request) -> Response:
        rows = [_batch_row(batch, request) for batch in self._store.all()]
        ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {}
        return json_response({"data": rows, "has_more": False, "first_id": None, "last_id": None, **ends})

    async def retrieve(self, request: Request) -> Response:
        return json_response(_batch_row(self._found(request), request))

    async def delete(self, request: Request) -> Response:
        batch = self._found(request)
        if batch.results is None:
            raise WireError(
                400, "invalid_request_error", "A batch in progress cannot be deleted; cancel it first"
            )
        self._store.remove(batch.id)
        return json_response({"id": batch.id, "type": "message_batch_deleted"})

    async def cancel(self, request: Request) -> Response:
        batch = self._found(request)
        batch.canceled = batch.results is None
        row = _batch_row(batch, request)
        return json_response({**row, "processing_status": "canceling" if batch.canceled else "ended"})

    async def results(self, request: Request) -> Response:
        batch = self._found(request)
        if batch.results is None:
            raise WireError(404, "not_found_error", "The batch has no results yet")
        return Response(b"".join(batch.results), media_type="application/x-jsonl")

    def _found(self, request: Request) -> Batch:
        batch = self._store.get(request.path_params["batch_id"])
        if batch is None:
            raise WireError(404, "not_found_error", f"Batch not found: {request.path_params['batch_id']}")
        return batch

    def _work(self, batch: Batch, items: list[dict[str, Any]]) -> None:
        """Finish a batch; results come in an order of their own, as the real API's do."""
        lines = []
        for item in items:
            if batch.canceled:
                lines.append(
                    orjson.dumps({"custom_id": item["custom_id"], "result": {"type": "canceled"}}) + b"\n"
                )
                continue
            call_id = str(item["custom_id"])
            params = item["params"] if isinstance(item["params"], dict) else {}
            status, body, _ = answer_offline(self._engine, self._wire, params, call_id, caches=True)
            if status == EXPIRED_STATUS:
                batch.expired += 1
                lines.append(orjson.dumps({"custom_id": call_id, "result": {"type": "expired"}}) + b"\n")
                continue
            value = orjson.loads(body)
            result = (
                {"type": "succeeded", "message": value}
                if status == 200
                else {"type": "errored", "error": value}
            )
            batch.succeeded += status == 200
            batch.errored += status != 200
            lines.append(orjson.dumps({"custom_id": call_id, "result": result}) + b"\n")
        batch.results = sorted(lines, key=lambda line: hashlib.blake2b(line, digest_size=8).digest())


def _batch_row(batch: Batch, request: Request) -> dict[str, Any]:
    created = datetime.fromtimestamp(batch.created_s, UTC)
    ended = None if batch.ended_s is None else datetime.fromtimestamp(batch.ended_s, UTC).isoformat()
    done = batch.results is not None
    url = str(request.url_for("results", batch_id=batch.id)) if done else None
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": "ended" if done else "in_progress",
        "request_counts": {
            "processing": 0 if done else batch.size,
            "succeeded": batch.succeeded,
            "errored": batch.errored,
            "canceled": batch.size - batch.succeeded - batch.errored - batch.expired if done else 0,
            "expired": batch.expired,
        },
        "created_at": created.isoformat(),
        "expires_at": (created + timedelta(hours=24)).isoformat(),
        "ended_at": ended,
        "archived_at": None,
        "cancel_initiated_at": ended if batch.canceled else None,
        "results_url": url,
    }
