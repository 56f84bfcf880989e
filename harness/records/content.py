"""A prompt or an output, kept only where someone asked for it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A row of `contents`: one text that went to a model or came back.

    Spools take it only when opened with `store_content=True`. `kind` is `prompt`, `output`, `brief`,
    `graph` or `answer`; `call_id` is None for what belongs to the request as a whole.
    """

    run_id: str | None
    request_id: str
    call_id: str | None
    kind: str
    ts: datetime
    text: str
