"""OpenAI's files: what batches are made from, and what they leave behind."""

import email.parser
import hashlib
import time
from dataclasses import dataclass
from email import policy
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from harness.emulator.http import json_response
from harness.emulator.wire import WireError
from harness.emulator.wire.openai_request import refused

_PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """One uploaded or produced file."""

    id: str
    name: str
    purpose: str
    content: bytes
    created_s: int

    def row(self) -> dict[str, Any]:
        """OpenAI's file object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created_s,
            "filename": self.name,
            "purpose": self.purpose,
            "status": "processed",
            "expires_at": None,
            "status_details": None,
        }


class OpenAIFiles:
    """All files, in memory."""

    def __init__(self) -> None:
        self._files: dict[str, StoredFile] = {}

    def keep(self, name: str, purpose: str, content: bytes) -> StoredFile:
        """Store a file; the same content under the same name and place has the same id."""
        number = f"{len(self._files)}:{name}".encode() + content
        file_id = f"file-{hashlib.blake2b(number, digest_size=11).hexdigest()}"
        stored = StoredFile(
            id=file_id, name=name, purpose=purpose, content=content, created_s=int(time.time())
        )
        self._files[file_id] = stored
        return stored

    def get(self, file_id: object) -> StoredFile:
        """The file, or a 404."""
        stored = self._files.get(str(file_id))
        if stored is None:
            raise WireError(404, "invalid_request_error", f"No such File object: {file_id}", param="id")
        return stored

    async def create(self, request: Request) -> Response:
        """`POST /v1/files`, a multipart form."""
        fields = _multipart(request.headers.get("content-type", ""), await request.body())
        purpose = fields.get("purpose", ("", b""))[1].decode()
        if purpose not in _PURPOSES:
            raise refused(f"'{purpose}' is not one of {list(_PURPOSES)} - 'purpose'", "purpose")
        if "file" not in fields:
            raise refused("Missing required parameter: 'file'.", "file", "missing_required_parameter")
        name, content = fields["file"]
        return json_response(self.keep(name or "upload", purpose, content).row())

    async def index(self, request: Request) -> Response:
        """`GET /v1/files`."""
        purpose = request.query_params.get("purpose")
        rows = [f.row() for f in reversed(self._files.values()) if purpose in (None, f.purpose)]
        return json_response({"object": "list", "data": rows, "has_more": False})

    async def retrieve(self, request: Request) -> Response:
        """`GET /v1/files/{id}`."""
        return json_response(self.get(request.path_params["file_id"]).row())

    async def content(self, request: Request) -> Response:
        """`GET /v1/files/{id}/content`."""
        stored = self.get(request.path_params["file_id"])
        return Response(stored.content, media_type="application/octet-stream")

    async def delete(self, request: Request) -> Response:
        """`DELETE /v1/files/{id}`."""
        stored = self.get(request.path_params["file_id"])
        del self._files[stored.id]
        return json_response({"id": stored.id, "object": "file", "deleted": True})


def _multipart(content_type: str, body: bytes) -> dict[str, tuple[str | None, bytes]]:
    """Fields of a multipart form: name to (file name, content)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=policy.HTTP).parsebytes(head + body)
    fields: dict[str, tuple[str | None, bytes]] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            fields[name] = (part.get_filename(), payload)
    return fields
