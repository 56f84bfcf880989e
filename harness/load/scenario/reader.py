"""A scenario file becomes a scenario, or one sentence that names the line and what there is instead."""

import re
from decimal import Decimal
from pathlib import Path

from harness.bundle import bundled
from harness.errors import ConfigError
from harness.inputs import (
    LARGEST_SETTINGS_BYTES,
    LocatedYaml,
    Template,
    checked_yaml,
    is_file,
    load_located_yaml,
)
from harness.load.scenario.conditions import Conditions
from harness.load.scenario.model import (
    AnswerPlaces,
    Check,
    Poll,
    Price,
    Scenario,
    Step,
    StreamRule,
    Success,
    Tag,
    UsagePlaces,
    Wire,
)
from harness.load.scenario.places import Place
from harness.load.scenario.spec import (
    AnswerSpec,
    ConditionsSpec,
    RequestSpec,
    ScenarioSpec,
    StepSpec,
    StreamSpec,
    UsageSpec,
)
from harness.load.scenario.templates import Body, EnvText, FormBody, JsonTemplate, TextBody
from harness.records import ProviderMode

_USAGE_AT: dict[Wire, str] = {"gemini": "/usageMetadata"}
_PLACE = re.compile(r"^(/|header:|event:)")

At = tuple[str | int, ...]


def read_scenario(path: Path) -> Scenario:
    """The scenario of a file.

    Raises:
        ConfigError: it is missing or wrong; names the file, the line and what there is instead.
    """
    located = load_located_yaml(path, LARGEST_SETTINGS_BYTES, what="a scenario")
    spec = checked_yaml(ScenarioSpec, located)
    name = spec.name or path.stem
    reader = _Reader(located, spec)
    steps = [reader.step(step, step.name, ("steps", number)) for number, step in enumerate(spec.steps)]
    return Scenario(
        name=name,
        source=str(path),
        steps=tuple(steps) or (reader.step(spec, name, ()),),
        is_journey=bool(steps),
        about=spec.about,
        target=spec.target,
        stand_in=spec.stand_in,
        cases=reader.cases(path),
        task=spec.task,
        environment=spec.environment,
        provider=spec.provider,
        mode=None if spec.mode is None else ProviderMode(spec.mode),
        hosts=tuple(spec.hosts),
        check=reader.check(),
        price=reader.price(),
        tags={tag: reader.tag(tag, text) for tag, text in spec.tags.items()},
        arrivals_column=None if spec.arrivals is None else spec.arrivals.column,
    )


class _Reader:
    """Compiles one file's parts; every message names a line of it."""

    def __init__(self, located: LocatedYaml, spec: ScenarioSpec) -> None:
        self._located = located
        self._spec = spec

    def step(self, spec: RequestSpec, name: str, at: At) -> Step:
        """One request."""
        stream = spec.stream
        streamed = stream is not None
        body = self._body(spec, at)
        rest = StepSpec(name=name) if not isinstance(spec, StepSpec) else spec
        return Step(
            name=name,
            source=self._located.where((*at, "path")),
            method=spec.method or ("GET" if body is None else "POST"),
            path=Template.parse(spec.path or "/", self._located.where((*at, "path"))),
            query=tuple(
                (key, self._env_text(_plain(value), (*at, "query", key))) for key, value in spec.query.items()
            ),
            headers=self._headers(spec, body, at),
            body=body,
            success=Success(
                statuses=tuple(spec.success.status),
                holds=self._conditions(spec.success, (*at, "success"), streamed=streamed),
            ),
            answer=self._answer(spec.answer, (*at, "answer"), streamed=streamed),
            stream=None if stream is None else self._stream(stream, (*at, "stream")),
            poll=self._poll(rest, at),
            sets={key: self._place(text, (*at, "set", key), streamed) for key, text in rest.set.items()},
        )

    def cases(self, path: Path) -> Path | None:
        """The data set that the file names, relative to it, or one that ships."""
        if self._spec.cases is None:
            return None
        found = path.parent / self._spec.cases
        shipped = bundled("scenarios") / self._spec.cases
        if not is_file(found) and is_file(shipped):
            return shipped
        if not is_file(found):
            raise ConfigError(
                self._located.where(("cases",)), f"there is no file '{self._spec.cases}' beside the scenario"
            )
        return found

    def check(self) -> Check | None:
        """How the target is asked before the start."""
        spec = self._spec.check
        if spec is None:
            return None
        statuses = None if spec.status == "any" else tuple(spec.status)
        return Check(path=spec.path, statuses=statuses, is_service=spec.service)

    def price(self) -> Price | None:
        """What a request costs where the answer does not tell."""
        spec = self._spec.price
        if spec is None:
            return None
        source = self._located.where(("price",))
        if spec.usd_per_hour is not None:
            return Price(source=source, usd_per_hour=Decimal(repr(spec.usd_per_hour)))
        provider, slash, model = str(spec.model).partition("/")
        if self._spec.provider is not None:
            return Price(source=source, provider=self._spec.provider, model=spec.model)
        if not slash or not model:
            problem = f"whose price of '{spec.model}' is meant? write PROVIDER/MODEL, or say `provider`"
            raise ConfigError(source, problem)
        return Price(source=source, provider=provider, model=model)

    def tag(self, name: str, text: str) -> Tag:
        """What is kept to group by: a place of an answer, or a text of columns."""
        at: At = ("tags", name)
        if _PLACE.match(text):
            asked: list[RequestSpec] = [*self._spec.steps] or [self._spec]
            streamed = any(step.stream is not None for step in asked)
            return Tag(place=self._place(text, at, streamed))
        return Tag(template=Template.parse(text, self._located.where(at)))

    def _headers(self, spec: RequestSpec, body: Body | None, at: At) -> tuple[tuple[str, EnvText], ...]:
        """The file's own, the step's over them, and what the body and the answer ask for."""
        found: dict[str, tuple[str, EnvText]] = {}
        kinds = {JsonTemplate: "application/json", TextBody: "text/plain; charset=utf-8"}
        if body is not None:
            kind = kinds.get(type(body), "application/x-www-form-urlencoded")
            found["content-type"] = ("Content-Type", EnvText(text=kind, source=self._located.source))
        streams = spec.stream is not None and spec.stream.kind == "sse"
        accept = "text/event-stream" if streams else "application/json" if spec.stream is None else "*/*"
        found["accept"] = ("Accept", EnvText(text=accept, source=self._located.source))
        shared = [(("headers", name), name, text) for name, text in self._spec.headers.items()]
        own = [((*at, "headers", name), name, text) for name, text in spec.headers.items()] if at else []
        for place, name, text in (*shared, *own):
            found[name.lower()] = (name, self._env_text(text, place))
        return tuple(found.values())

    def _body(self, spec: RequestSpec, at: At) -> Body | None:
        if spec.text is not None:
            return TextBody(Template.parse(spec.text, self._located.where((*at, "text"))))
        if spec.form is not None:
            fields = (
                (key, Template.parse(text, self._located.where((*at, "form", key))))
                for key, text in spec.form.items()
            )
            return FormBody(tuple(fields))
        return None if spec.body is None else JsonTemplate(spec.body, self._located, (*at, "body"))

    def _env_text(self, text: str, at: At) -> EnvText:
        found = EnvText(text=text, source=self._located.where(at))
        found.plain()  # a brace that stands alone is refused here, with its line
        return found

    def _place(self, text: str, at: At, streamed: bool) -> Place:  # noqa: FBT001 - of one call's many
        return Place.parse(text, self._located.where(at), streamed=streamed)

    def _conditions(self, spec: ConditionsSpec, at: At, *, streamed: bool) -> Conditions:
        equals = (
            (self._place(text, (*at, "equals", text), streamed), value) for text, value in spec.equals.items()
        )
        matches = (
            (
                self._place(text, (*at, "matches", text), streamed),
                self._pattern(value, (*at, "matches", text)),
            )
            for text, value in spec.matches.items()
        )
        return Conditions(
            exists=tuple(self._place(text, (*at, "exists"), streamed) for text in spec.exists),
            equals=tuple(equals),
            matches=tuple(matches),
        )

    def _pattern(self, text: str, at: At) -> re.Pattern[str]:
        try:
            return re.compile(text)
        except re.error as error:
            raise ConfigError(
                self._located.where(at), f"'{text[:60]}' is no regular expression ({error})"
            ) from error

    def _answer(self, spec: AnswerSpec, at: At, *, streamed: bool) -> AnswerPlaces:
        def place(name: str) -> Place | None:
            text: str | None = getattr(spec, name)
            return None if text is None else self._place(text, (*at, name), streamed)

        single = ("text", "model", "provider", "cost_usd", "tier", "score", "id", "server_ms")
        return AnswerPlaces(
            wire=spec.wire,
            **{name: place(name) for name in single},
            completed_event=place("completed_event"),
            usage=None if spec.usage is None else self._usage(spec.usage, (*at, "usage"), streamed=streamed),
            stages_ms={
                name: self._place(text, (*at, "stages_ms", name), streamed)
                for name, text in spec.stages_ms.items()
            },
        )

    def _usage(self, spec: UsageSpec, at: At, *, streamed: bool) -> UsagePlaces:
        if spec.shape is not None:
            text = spec.at or _USAGE_AT.get(spec.shape, "/usage")
            return UsagePlaces(shape=spec.shape, at=self._place(text, at, streamed))

        def place(name: str) -> Place | None:
            text: str | None = getattr(spec, name)
            return None if text is None else self._place(text, (*at, name), streamed)

        return UsagePlaces(
            input=place("input"),
            output=place("output"),
            cache_read=place("cache_read"),
            cache_write=place("cache_write"),
            reasoning=place("reasoning"),
        )

    def _stream(self, spec: StreamSpec, at: At) -> StreamRule:
        if spec.kind == "chunks" and spec.error is not None:
            raise ConfigError(self._located.where((*at, "error")), "chunks have no events; leave `error` out")
        content = spec.content
        return StreamRule(
            kind=spec.kind,
            content=None if content is None else self._place(content, (*at, "content"), True),  # noqa: FBT003
            done=None if spec.done is None else self._conditions(spec.done, (*at, "done"), streamed=True),
            error=spec.error,
            gaps=spec.gaps,
        )

    def _poll(self, spec: StepSpec, at: At) -> Poll | None:
        poll = spec.poll
        if poll is None:
            return None
        if spec.stream is not None:
            raise ConfigError(
                self._located.where((*at, "poll")), "a poll is answered in one piece, not as a stream"
            )
        failed = poll.failed
        return Poll(
            until=self._conditions(poll.until, (*at, "poll", "until"), streamed=False),
            failed=None
            if failed is None
            else self._conditions(failed, (*at, "poll", "failed"), streamed=False),
            every_s=poll.every_ms / 1000,
            at_most_s=poll.at_most_s,
        )


def _plain(value: object) -> str:
    """A query value as it is written in a URL."""
    return str(value).lower() if isinstance(value, bool) else str(value)
