"""The contract at the edges: the HTTP body, the public answer, and the JSON schema given to models.

The models' schema uses only what both providers' structured outputs accept: every property required,
absence as null, no lengths or counts (those stand in the prompt and are checked by `validate`).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from harness.tasks.decisions.draft_graph.graph import (
    MAX_BODY_CHARS,
    MAX_EDGES,
    MAX_LABEL_CHARS,
    MAX_NODES,
    MAX_QUOTE_CHARS,
    MAX_WHY_CHARS,
    GraphSource,
    NodeKind,
    ProvenanceSource,
)
from harness.tasks.jsonschema import nullable, object_schema

MAX_BRIEF_CHARS = 5000
MAX_ATTACHMENTS = 10
MAX_ATTACHMENT_CHARS = 20_000
MAX_CONSTRAINTS = 50

NODE_ID_PATTERN = r"^[A-Za-z0-9_.-]{1,64}$"
"""Node ids hold no colon, so that `from::to::index` always reads back."""

NodeId = Annotated[str, StringConstraints(pattern=NODE_ID_PATTERN)]


class Attachment(BaseModel):
    """A document sent with the brief. Its text is data for the model, never an instruction."""

    model_config = ConfigDict(strict=True, frozen=True)

    name: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=MAX_ATTACHMENT_CHARS)


class DraftGraphBody(BaseModel):
    """The body of `POST /assist/draft-graph`. Unknown keys are ignored, wrong types refused."""

    model_config = ConfigDict(strict=True, frozen=True)

    brief: str = Field(min_length=1, max_length=MAX_BRIEF_CHARS)
    attachments: list[Attachment] | None = Field(default=None, max_length=MAX_ATTACHMENTS)
    constraints: dict[str, Any] | list[str] | None = Field(default=None, max_length=MAX_CONSTRAINTS)
    flags: dict[str, bool] | None = Field(default=None, max_length=MAX_CONSTRAINTS)
    include_debug: bool | None = None


class ProvenanceModel(BaseModel):
    """What an edge rests on."""

    source: str = Field(min_length=1, max_length=200)
    quote: str = Field(min_length=1, max_length=MAX_QUOTE_CHARS)
    location: str | None = None


class NodeModel(BaseModel):
    """A node of the public answer."""

    id: NodeId
    kind: NodeKind
    label: str | None = Field(default=None, max_length=MAX_LABEL_CHARS)
    body: str | None = Field(default=None, max_length=MAX_BODY_CHARS)


class EdgeModel(BaseModel):
    """An edge of the public answer."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    from_id: NodeId = Field(alias="from")
    to_id: NodeId = Field(alias="to")
    weight: float | None = Field(default=None, allow_inf_nan=False)
    belief: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    provenance: ProvenanceModel | None = None
    provenance_source: ProvenanceSource | None = None


class Position(BaseModel):
    """Where a node may be drawn, in pixels from the top left."""

    x: float
    y: float


class MetaModel(BaseModel):
    """Derived facts about the graph."""

    roots: list[NodeId]
    leaves: list[NodeId]
    suggested_positions: dict[NodeId, Position]
    source: GraphSource


class GraphModel(BaseModel):
    """The public graph within its caps."""

    nodes: list[NodeModel] = Field(max_length=MAX_NODES)
    edges: list[EdgeModel] = Field(max_length=MAX_EDGES)
    meta: MetaModel


class RationaleModel(BaseModel):
    """Why a node or an edge stands in the graph."""

    target: str
    why: str = Field(max_length=MAX_WHY_CHARS)


class DraftGraphPayload(BaseModel):
    """The task's part of the public answer; the pipeline adds `quality_tier` and `quality_score`."""

    graph: GraphModel
    rationales: list[RationaleModel]
    issues: list[str] | None = None
    confidence: float | None = Field(ge=0, le=1)
    clarifier_status: Literal["complete", "max_rounds", "confident"]


_TEXT = {"type": "string"}
_NUMBER = {"type": "number"}

_NODE = object_schema(
    {
        "id": {"type": "string", "description": "short, unique: letters, digits, _ . -"},
        "kind": {"type": "string", "enum": [kind.value for kind in NodeKind]},
        "label": nullable({**_TEXT, "description": f"at most {MAX_LABEL_CHARS} characters"}),
        "body": nullable({**_TEXT, "description": f"at most {MAX_BODY_CHARS} characters"}),
    }
)
_PROVENANCE = object_schema(
    {
        "source": {**_TEXT, "description": "brief, or the attachment's name"},
        "quote": {**_TEXT, "description": f"word for word, at most {MAX_QUOTE_CHARS} characters"},
        "location": nullable(_TEXT),
    }
)
_EDGE = object_schema(
    {
        "id": _TEXT,
        "from": {**_TEXT, "description": "a node id"},
        "to": {**_TEXT, "description": "a node id"},
        "weight": nullable(_NUMBER),
        "belief": nullable({**_NUMBER, "description": "0 to 1"}),
        "provenance": nullable(_PROVENANCE),
        "provenance_source": nullable(
            {"type": "string", "enum": [source.value for source in ProvenanceSource]}
        ),
    }
)

ANSWER_SCHEMA: Mapping[str, Any] = object_schema(
    {
        "graph": object_schema(
            {"nodes": {"type": "array", "items": _NODE}, "edges": {"type": "array", "items": _EDGE}}
        ),
        "rationales": {
            "type": "array",
            "items": object_schema(
                {
                    "target": {**_TEXT, "description": "a node or edge id"},
                    "why": {**_TEXT, "description": f"at most {MAX_WHY_CHARS} characters"},
                }
            ),
        },
        "confidence": nullable({**_NUMBER, "description": "your own, 0 to 1; null if you cannot say"}),
    }
)
"""What a model must answer with."""
