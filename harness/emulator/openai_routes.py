"""OpenAI's routes beside the generating ones: models and batches; the files are next door."""

import hashlib
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.emulator.anthropic_routes import anthropic_model, anthropic_models
from harness.emulator.batch_store import Batch, BatchStore
from harness.emulator.engine import Engine
from harness.emulator.gemini_routes import gemini_models
from harness.emulator.http import handler, json_response, read_object
from harness.emulator.models import find_model, model_ids
from harness.emulator.offline import EXPIRED_STATUS, answer_offline
from harness.emulator.openai_files import OpenAIFiles
from harness.emulator.wire import AnthropicMessages, OpenAIChat, OpenAIResponses, Wire, WireError
from harness.emulator.wire.openai_request import known_model, refused

DAY_S = 86_400
MOST_BATCHED = 50_000


def openai_routes(engine: Engine) -> list[Route]:
    """The routes, bound to one emulator; the model list answers in the caller's own wire."""
    wire = OpenAIChat()
    files = OpenAIFiles()
    batches = _Batches(engine, files)
    table: list[tuple[str, str, Any]] = [
        ("/v1/files", "POST", files.create),
        ("/v1/files", "GET", files.index),
        ("/v1/files/{file_id}", "GET", files.retrieve),
        ("/v1/files/{file_id}", "DELETE", files.delete),
        ("/v1/files/{file_id}/content", "GET", files.content),
        ("/v1/batches", "POST", batches.create),
        ("/v1/batches", "GET", batches.index),
        ("/v1/batches/{batch_id}", "GET", batches.retrieve),
        ("/v1/batches/{batch_id}/cancel", "POST", batches.cancel),
    ]
    routes = [Route(path, handler(wire, work), methods=[method]) for path, method, work in table]
    return [*routes, Route("/v1/models", _models), Route("/v1/models/{model_id:path}", _models)]


async def _models(request: Request) -> Response:
    """Three providers keep their models under the same path; their own headers tell them apart."""
    if "x-goog-api-key" in request.headers:
        return await gemini_models(request)
    wire: Wire = AnthropicMessages() if "anthropic-version" in request.headers else OpenAIChat()
    model = request.path_params.get("model_id")

    async def work(_: Request) -> Response:
        if isinstance(wire, AnthropicMessages):
            return json_response(anthropic_models() if model is None else anthropic_model(model))
        if model is None:
            return json_response({"object": "list", "data": [_model(name) for name in model_ids("openai")]})
        known_model(model)
        return json_response(_model(model))

    return await handler(wire, work)(request)


def _model(model: str) -> dict[str, Any]:
    profile = find_model(model, "openai")
    owner = "openai" if profile is not None else "unknown"
    return {"id": model, "object": "model", "created": 1_767_225_600, "owned_by": owner}


class _Batches:
    def __init__(self, engine: Engine, files: OpenAIFiles) -> None:
        self._engine = engine
        self._files = files
        self._store = BatchStore(engine.settings.speed)
        self._wires: dict[str, Wire] = {
            "/v1/chat/completions": OpenAIChat(),
            "/v1/responses": OpenAIResponses(),
        }

    async def create(self, request: Request) -> Response:
        body = await read_object(request)
        known = {"input_file_id", "endpoint", "completion_window", "metadata", "output_expires_after"}
        for name in sorted(set(body) - known):
            raise refused(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        if body.get("endpoint") not in self._wires:
            raise refused(f"Invalid value: '{body.get('endpoint')}'.", "endpoint", "invalid_value")
        if body.get("completion_window") != "24h":
            raise refused(
                "Invalid value for 'completion_window': only '24h' is supported.", "completion_window"
            )
        stored = self._files.get(body.get("input_file_id"))
        items = _items(stored.content, str(body["endpoint"]))
        number = f"{self._engine.settings.seed}:{self._store.new_number()}".encode()
        batch_id = f"batch_{hashlib.blake2b(number, digest_size=12).hexdigest()}"
        batch = self._store.add(batch_id, len(items), lambda batch: self._work(batch, items))
        batch.request.update(body)
        return json_response(_row(batch))

    async def index(self, request: Request) -> Response:  # noqa: ARG002 - Starlette's signature
        return json_response(
            {"object": "list", "data": [_row(b) for b in self._store.all()], "has_more": False}
        )

    async def retrieve(self, request: Request) -> Response:
        return json_response(_row(self._found(request)))

    async def cancel(self, request: Request) -> Response:
        batch = self._found(request)
        batch.canceled = batch.results is None
        return json_response(
            {**_row(batch), "status": "cancelling" if batch.canceled else _row(batch)["status"]}
        )

    def _found(self, request: Request) -> Batch:
        batch = self._store.get(request.path_params["batch_id"])
        if batch is None:
            message = f"No batch found with id '{request.path_params['batch_id']}'."
            raise WireError(404, "invalid_request_error", message)
        return batch

    def _work(self, batch: Batch, items: list[dict[str, Any]]) -> None:
        """Finish a batch: an output file of what succeeded, an error file of what did not."""
        good: list[bytes] = []
        bad: list[bytes] = []
        for number, item in enumerate([] if batch.canceled else items):
            wire = self._wires[item["url"]]
            status, body, request_id = answer_offline(
                self._engine, wire, item["body"], str(item["custom_id"]), caches=False
            )
            if status == EXPIRED_STATUS:
                batch.expired += 1
                bad.append(_expired_line(batch, number, item) + b"\n")
                continue
            response = {"status_code": status, "request_id": request_id, "body": orjson.loads(body)}
            line = {
                "id": f"batch_req_{batch.id[6:]}_{number}",
                "custom_id": item["custom_id"],
                "response": response,
            }
            (good if status == 200 else bad).append(orjson.dumps({**line, "error": None}) + b"\n")
        batch.succeeded, batch.errored = len(good), len(bad) - batch.expired
        batch.results = good
        if good:
            batch.output_id = self._files.keep(f"{batch.id}_output.jsonl", "batch_output", b"".join(good)).id
        if bad:
            batch.error_id = self._files.keep(f"{batch.id}_error.jsonl", "batch_output", b"".join(bad)).id


def _expired_line(batch: Batch, number: int, item: dict[str, Any]) -> bytes:
    """The error file's line of an item that was not answered in time."""
    message = "This request could not be executed before the completion window expired."
    return orjson.dumps(
        {
            "id": f"batch_req_{batch.id[6:]}_{number}",
            "custom_id": item["custom_id"],
            "response": None,
            "error": {"code": "batch_expired", "message": message},
        }
    )


def _items(content: bytes, endpoint: str) -> list[dict[str, Any]]:
    items = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise refused(f"Line {number} of the input file is not valid JSON.", "input_file_id") from error
        shaped = isinstance(item, dict) and isinstance(item.get("body"), dict) and "custom_id" in item
        if not shaped or item.get("url") != endpoint or item.get("method") != "POST":
            message = f"Line {number}: custom_id, method POST, url {endpoint} and body are required."
            raise refused(message, "input_file_id")
        items.append(item)
    if not items:
        raise refused("The input file is empty.", "input_file_id", "empty_file")
    if len(items) > MOST_BATCHED:
        raise refused(f"The input file has more than {MOST_BATCHED} requests.", "input_file_id")
    if len({item["body"].get("model") for item in items}) > 1:
        raise refused("All requests of a batch must be for one model.", "input_file_id", "mismatched_model")
    if len({item["custom_id"] for item in items}) != len(items):
        raise refused("The custom_id of each line must be unique.", "input_file_id", "duplicate_custom_id")
    return items


def _row(batch: Batch) -> dict[str, Any]:
    done = batch.results is not None
    ended = "cancelled" if batch.canceled else "expired" if batch.expired else "completed"
    status = ended if done else "in_progress"
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.request.get("endpoint"),
        "errors": None,
        "input_file_id": batch.request.get("input_file_id"),
        "completion_window": "24h",
        "status": status,
        "output_file_id": batch.output_id,
        "error_file_id": batch.error_id,
        "created_at": batch.created_s,
        "in_progress_at": batch.created_s,
        "expires_at": batch.created_s + DAY_S,
        "completed_at": batch.ended_s if status == "completed" else None,
        "expired_at": batch.ended_s if status == "expired" else None,
        "cancelled_at": batch.ended_s if status == "cancelled" else None,
        "request_counts": {"total": batch.size, "completed": batch.succeeded, "failed": batch.errored},
        "metadata": batch.request.get("metadata"),
    }
