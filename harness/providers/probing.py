"""What an endpoint really does: one tiny request streamed and one whole, watched on the production path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from harness.clock import SYSTEM_CLOCK
from harness.errors import ProviderError
from harness.providers.attempt import Attempt
from harness.providers.base import ProviderSettings
from harness.providers.limits import Allowance, allowances
from harness.providers.reading.headers import request_id_header
from harness.providers.registry import build_adapter
from harness.providers.sdk import SdkAdapter
from harness.records import Completion, Prompt, Role, ServedTerms, Usage

QUESTION = Prompt(
    role=Role.DRAFT,
    system="You answer in one word.",
    user="Say OK.",
    max_tokens=64,
)
"""The tiny request. Models that think need some room for it, or they never come to the word."""

_DEEPEST = 4
_TOKENS = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One request and what came of it; None: untold. `came_streamed` is what arrived, not what was asked."""

    asked_streamed: bool
    problem: str | None
    http_status: int | None
    came_streamed: bool | None
    content_type: str | None
    says_done: bool
    usage: Usage | None
    usage_at: tuple[str, ...]
    remarks: tuple[str, ...]
    finish_reason: str | None
    served_model: str | None
    request_id: str | None
    request_id_header: str | None
    provider_cost_usd: Decimal | None
    terms: ServedTerms | None
    rate_limits: tuple[Allowance, ...]
    emulated: bool | None

    @property
    def is_answered(self) -> bool:
        """Whether a whole answer came."""
        return self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Both requests, and the model they asked for."""

    model: str
    streamed: Observed
    whole: Observed


async def probe(settings: ProviderSettings, model: str, *, timeout_s: float = 60.0) -> Probe:
    """Ask an endpoint twice, and note what it does.

    Args:
        settings: how it is reached; `stream` is taken both ways.
        model: what to ask.
        timeout_s: of each request.

    Raises:
        ConfigError: an unknown kind of provider.
    """
    streamed = await _observe(replace(settings, stream=True), model, timeout_s)
    whole = await _observe(replace(settings, stream=False), model, timeout_s)
    return Probe(model=model, streamed=streamed, whole=whole)


class _Watched(Attempt):
    """An attempt that also keeps the headers and where usage stood."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        self.headers: Mapping[str, str] = {}
        self.events = 0
        self.came_whole = False
        self.says_done = False
        self.usage_at: dict[str, None] = {}

    def saw_response(self, headers: Mapping[str, str]) -> None:
        self.headers = {name.lower(): value for name, value in headers.items()}
        super().saw_response(headers)

    def take_event(self, event: object, *, name: str = "") -> None:
        self.events += 1
        for place in usage_places(event):
            self.usage_at[f"{place} of {f'event {name}' if name else 'a chunk'}"] = None
        super().take_event(event, name=name)

    def take_whole(self, body: object) -> None:
        self.came_whole = True
        for place in usage_places(body):
            self.usage_at[place] = None
        super().take_whole(body)

    def take_done(self) -> None:
        self.says_done = True
        super().take_done()


async def _observe(settings: ProviderSettings, model: str, timeout_s: float) -> Observed:
    adapter = build_adapter(settings, model)
    watched: list[_Watched] = []

    def watching(**told: Any) -> _Watched:
        watched.append(_Watched(**told))
        return watched[-1]

    if isinstance(adapter, SdkAdapter):
        adapter.attempt_type = watching
    try:
        answer: Completion | ProviderError = await adapter.generate(
            QUESTION, call_id="probe", timeout_s=timeout_s
        )
    except ProviderError as error:
        answer = error
    finally:
        await adapter.aclose()
    return _observed(settings, answer, watched[-1] if watched else None)


def _observed(
    settings: ProviderSettings, answer: Completion | ProviderError, seen: _Watched | None
) -> Observed:
    failed = answer if isinstance(answer, ProviderError) else None
    headers = seen.headers if seen else {}
    arrived = bool(seen and (seen.events or seen.came_whole))
    return Observed(
        asked_streamed=settings.stream,
        problem=f"{failed.kind}: {failed}" if failed else None,
        http_status=failed.http_status if failed else 200,
        came_streamed=bool(seen.events) if seen and arrived else None,
        content_type=headers.get("content-type"),
        says_done=bool(seen and seen.says_done),
        usage=answer.usage if isinstance(answer.usage, Usage) else None,
        usage_at=tuple(seen.usage_at) if seen else (),
        remarks=answer.usage_remarks,
        finish_reason=answer.stop_reason,
        served_model=answer.served_model,
        request_id=answer.provider_request_id,
        request_id_header=request_id_header(headers),
        provider_cost_usd=answer.provider_cost_usd,
        terms=answer.terms if isinstance(answer.terms, ServedTerms) else None,
        rate_limits=tuple(allowances(headers, SYSTEM_CLOCK.now())),
        emulated=answer.emulated,
    )


def usage_places(told: object, at: str = "", depth: int = 0) -> Sequence[str]:
    """Where in a JSON value token counts stand, as paths: `usage`, `x_groq.usage`, `choices[0].usage`."""
    if depth > _DEEPEST:
        return []
    if isinstance(told, list):
        inside = [(f"{at}[{place}]", value) for place, value in enumerate(told[:2])]
    elif isinstance(told, dict):
        if any(_TOKENS in str(key).lower() and type(value) is int for key, value in told.items()):
            return [at or "the body itself"]
        inside = [(f"{at}.{key}" if at else str(key), value) for key, value in told.items()]
    else:
        return []
    return [place for path, value in inside for place in usage_places(value, path, depth + 1)]
