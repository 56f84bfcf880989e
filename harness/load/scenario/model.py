"""A scenario as the load uses it: read, checked and compiled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Literal

from harness.inputs import Template
from harness.load.scenario.conditions import NO_CONDITIONS, Conditions
from harness.load.scenario.places import Place
from harness.load.scenario.templates import Body, EnvText
from harness.records import ProviderMode

Wire = Literal["openai", "responses", "anthropic", "gemini", "bedrock"]
"""A provider's own form of answers, or of usage."""

StandIn = Literal["service", "emulator"]
"""What is started on loopback where no target is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlaces:
    """Where token counts stand: an object of a known shape, or counts each at a place of its own."""

    shape: Wire | None = None
    at: Place | None = None
    input: Place | None = None
    output: Place | None = None
    cache_read: Place | None = None
    cache_write: Place | None = None
    reasoning: Place | None = None

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that is looked at."""
        found = (self.at, self.input, self.output, self.cache_read, self.cache_write, self.reasoning)
        return tuple(place for place in found if place is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlaces:
    """Where in an answer things stand; None is not told.

    Attributes:
        wire: the answer is a provider's own, whose room reads it whole; places go before what it tells.
        completed_event: the event `assist.draft.completed`, as a header or an event of the stream.
        stages_ms: durations of stages, milliseconds; `Server-Timing` is read in any case.
    """

    wire: Wire | None = None
    text: Place | None = None
    model: Place | None = None
    provider: Place | None = None
    usage: UsagePlaces | None = None
    cost_usd: Place | None = None
    tier: Place | None = None
    score: Place | None = None
    id: Place | None = None
    server_ms: Place | None = None
    completed_event: Place | None = None
    stages_ms: Mapping[str, Place] = field(default_factory=dict)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that is looked at, except those of single values read on demand."""
        single = (
            self.text,
            self.model,
            self.provider,
            self.cost_usd,
            self.tier,
            self.score,
            self.id,
            self.server_ms,
        )
        told = tuple(place for place in single if place is not None)
        return (*told, *(() if self.usage is None else self.usage.places), *self.stages_ms.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRule:
    """How an answer comes in pieces.

    Attributes:
        kind: server-sent events, or lines or raw pieces of a chunked body.
        content: what carries text for the user; None where every piece does.
        done: an event that must come, or the stream was cut.
        error: the name of events that say the request failed.
        gaps: the pieces are pieces of one text, so that gaps between them mean something.
    """

    kind: Literal["sse", "chunks"]
    content: Place | None = None
    done: Conditions | None = None
    error: str | None = None
    gaps: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """What counts as an answer. Attributes: statuses, none for any 2xx; what must hold."""

    statuses: tuple[int, ...] = ()
    holds: Conditions = NO_CONDITIONS

    def takes(self, status: int) -> bool:
        """Whether a status is one of an answer."""
        return status in self.statuses if self.statuses else 200 <= status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Ask again until it is done. Attributes: what must hold; what ends it as failed; pause and patience."""

    until: Conditions
    failed: Conditions | None
    every_s: float
    at_most_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a scenario.

    Attributes:
        sets: variables for later steps, by where in the answer they stand.
        source: the file and line.
    """

    name: str
    source: str
    method: str
    path: Template
    query: tuple[tuple[str, EnvText], ...] = ()
    headers: tuple[tuple[str, EnvText], ...] = ()
    body: Body | None = None
    success: Success = Success()
    answer: AnswerPlaces = AnswerPlaces()
    stream: StreamRule | None = None
    poll: Poll | None = None
    sets: Mapping[str, Place] = field(default_factory=dict)

    @property
    def templates(self) -> Iterator[Template]:
        """Everything that may name a column."""
        yield self.path
        for _, text in (*self.query, *self.headers):
            yield text.plain()
        if self.body is not None:
            yield from self.body.templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How the target is asked before the start.

    Attributes:
        statuses: which are well; None for any.
        is_service: it answers with what it is, as `harness serve` does.
    """

    path: str
    statuses: tuple[int, ...] | None
    is_service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a request costs where the answer does not tell: a model of the price book, or a machine."""

    source: str
    provider: str | None = None
    model: str | None = None
    usd_per_hour: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """What is kept of a request to filter and group by: a text of columns, or a place of the answer."""

    template: Template | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is asked, how the answer is read, and what it costs.

    Attributes:
        source: the file.
        steps: at least one; the last gives the answer.
        is_journey: it has steps, whose durations are kept.
        cases: the data set that goes with it.
        hosts: where provider, mode and variables of the environment hold; none for every target.
        arrivals_column: a column of the cases that says when each was asked.
    """

    name: str
    source: str
    steps: tuple[Step, ...]
    is_journey: bool = False
    about: str = ""
    target: str | None = None
    stand_in: StandIn | None = None
    cases: Path | None = None
    task: str | None = None
    environment: str | None = None
    provider: str | None = None
    mode: ProviderMode | None = None
    hosts: tuple[str, ...] = ()
    check: Check | None = None
    price: Price | None = None
    tags: Mapping[str, Tag] = field(default_factory=dict)
    arrivals_column: str | None = None

    @property
    def columns(self) -> dict[str, str]:
        """Every column that a template names, with the line that names it; built-in names among them."""
        found: dict[str, str] = {}
        known: set[str] = set()
        for step in self.steps:
            for template in step.templates:
                found |= {
                    name: found.get(name, template.source) for name in template.names if name not in known
                }
            known |= set(step.sets)
        for tag in self.tags.values():
            if tag.template is not None:
                found |= {name: found.get(name, tag.template.source) for name in tag.template.names}
        return found
