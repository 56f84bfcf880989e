"""A scenario file as it is written; short forms become long ones here."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from harness.records.tags import MOST_TAGS, TAG_NAME

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
TagName = Annotated[str, Field(pattern=f"^{TAG_NAME}$")]
PlaceText = Annotated[str, Field(min_length=1, max_length=300)]
Wire = Literal["openai", "responses", "anthropic", "gemini", "bedrock"]
Status = Annotated[int, Field(ge=100, le=599)]
Header = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=100)]
Seconds = Annotated[float, Field(gt=0, le=86_400, strict=False)]
MOST_STEPS = 32


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class ConditionsSpec(_Strict):
    """What must hold: a pointer that exists, equals a JSON value, or matches an expression."""

    exists: Annotated[list[PlaceText], BeforeValidator(_listed)] = Field(default_factory=list)
    equals: dict[str, Any] = Field(default_factory=dict)
    matches: dict[str, str] = Field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to hold."""
        return not (self.exists or self.equals or self.matches)


class SuccessSpec(ConditionsSpec):
    """What counts as an answer."""

    status: Annotated[list[Status], BeforeValidator(_listed)] = Field(default_factory=list)


def _status_alone(value: Any) -> Any:
    return {"status": value} if isinstance(value, int | list) and not isinstance(value, bool) else value


class UsageSpec(_Strict):
    """Where token counts stand."""

    shape: Wire | None = None
    at: PlaceText | None = None
    input: PlaceText | None = None
    output: PlaceText | None = None
    cache_read: PlaceText | None = None
    cache_write: PlaceText | None = None
    reasoning: PlaceText | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        counts = (self.input, self.output, self.cache_read, self.cache_write, self.reasoning)
        if self.shape is not None and any(counts):
            raise ValueError("say `shape` (with `at`), or a pointer for each count, not both")
        if self.shape is None and (self.at is not None or self.input is None or self.output is None):
            raise ValueError(
                "say `shape` (openai, responses, anthropic, gemini, bedrock), or `input` and `output`"
            )
        return self


def _shape_alone(value: Any) -> Any:
    return {"shape": value} if isinstance(value, str) else value


class AnswerSpec(_Strict):
    """Where in the answer things stand."""

    wire: Wire | None = None
    text: PlaceText | None = None
    model: PlaceText | None = None
    provider: PlaceText | None = None
    usage: Annotated[UsageSpec | None, BeforeValidator(_shape_alone)] = None
    cost_usd: PlaceText | None = None
    tier: PlaceText | None = None
    score: PlaceText | None = None
    id: PlaceText | None = None
    server_ms: PlaceText | None = None
    completed_event: PlaceText | None = None
    stages_ms: dict[Name, PlaceText] = Field(default_factory=dict, max_length=32)


class StreamSpec(_Strict):
    """How an answer comes in pieces."""

    kind: Literal["sse", "chunks"]
    content: PlaceText | None = None
    done: ConditionsSpec | None = None
    error: str | None = None
    gaps: bool = True


def _kind_alone(value: Any) -> Any:
    return None if value == "none" else {"kind": value} if isinstance(value, str) else value


class PollSpec(_Strict):
    """Ask again until it is done."""

    until: ConditionsSpec
    failed: ConditionsSpec | None = None
    every_ms: Annotated[float, Field(gt=0, le=3_600_000, strict=False)] = 500
    at_most_s: Seconds = 30

    @model_validator(mode="after")
    def _has_an_end(self) -> Self:
        if self.until.is_empty:
            raise ValueError("`until` says nothing; write `until: {equals: {/status: done}}`")
        return self


class RequestSpec(_Strict):
    """One request."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] | None = None
    path: Annotated[str, Field(pattern=r"^/[^\s#]*$", max_length=2000)] | None = None
    query: dict[str, str | int | float | bool] = Field(default_factory=dict, max_length=100)
    headers: dict[Header, str] = Field(default_factory=dict, max_length=100)
    body: Any = None
    text: str | None = None
    form: dict[str, str] | None = None
    success: Annotated[SuccessSpec, BeforeValidator(_status_alone)] = SuccessSpec()
    answer: AnswerSpec = AnswerSpec()
    stream: Annotated[StreamSpec | None, BeforeValidator(_kind_alone)] = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if sum(part is not None for part in (self.body, self.text, self.form)) > 1:
            raise ValueError("a request has one of `body` (JSON), `text` and `form`")
        if self.method == "GET" and any(part is not None for part in (self.body, self.text, self.form)):
            raise ValueError("a GET has no body")
        return self


class StepSpec(RequestSpec):
    """One request of several."""

    name: Name
    poll: PollSpec | None = None
    set: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], PlaceText] = Field(
        default_factory=dict
    )


class CheckSpec(_Strict):
    """How the target is asked before the start."""

    path: Annotated[str, Field(pattern=r"^/\S*$")]
    status: Annotated[list[Status], BeforeValidator(_listed)] | Literal["any"] = Field(default=[200])
    service: bool = False


def _path_alone(value: Any) -> Any:
    return None if value == "none" else {"path": value} if isinstance(value, str) else value


class PriceSpec(_Strict):
    """What a request costs where the answer does not tell."""

    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    usd_per_hour: Annotated[float, Field(gt=0, le=100_000, strict=False)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.model is None) == (self.usd_per_hour is None):
            raise ValueError("write `price: MODEL` or `price: {usd_per_hour: 2.50}`")
        return self


def _model_alone(value: Any) -> Any:
    return {"model": value} if isinstance(value, str) else value


class ArrivalsSpec(_Strict):
    """When each case was asked."""

    column: str = "at"


def _recorded(value: Any) -> Any:
    return {} if value == "recorded" else value


class ScenarioSpec(RequestSpec):
    """A scenario."""

    name: Name | None = None
    about: Annotated[str, Field(max_length=300)] = ""
    target: str | None = None
    stand_in: Literal["service", "emulator"] | None = None
    cases: str | None = None
    task: Name | None = None
    environment: Name | None = None
    provider: Name | None = None
    mode: Literal["live", "emulated", "fixtures"] | None = None
    hosts: list[str] = Field(default_factory=list)
    check: Annotated[CheckSpec | None, BeforeValidator(_path_alone)] = None
    price: Annotated[PriceSpec | None, BeforeValidator(_model_alone)] = None
    tags: dict[TagName, PlaceText] = Field(default_factory=dict, max_length=MOST_TAGS)
    arrivals: Annotated[ArrivalsSpec | None, BeforeValidator(_recorded)] = None
    steps: list[StepSpec] = Field(default_factory=list, max_length=MOST_STEPS)

    @model_validator(mode="after")
    def _one_request_or_steps(self) -> Self:
        if not self.steps and self.path is None:
            raise ValueError("`path` is missing: what is asked of the target (such as /v1/summarise)")
        own = ("method", "path", "query", "body", "text", "form", "success", "answer", "stream")
        beside = [name for name in own if name in self.model_fields_set]
        if self.steps and beside:
            raise ValueError(f"`{beside[0]}` belongs into one of the `steps`")
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("two of the `steps` have the same name")
        nameless = next((step.name for step in self.steps if step.path is None), None)
        if nameless is not None:
            raise ValueError(f"step '{nameless}' has no `path`")
        return self
