"""Reads one answer as its scenario says: in one piece, as server-sent events, or in chunks.

Nothing here raises for what a target does wrong: that is the answer's failure.
"""

import time
from collections.abc import Iterator
from typing import Any

import orjson

from harness.inputs import ABSENT
from harness.load.answer import Answer, error_within, fail_by_event
from harness.load.message import Response
from harness.load.said import Said
from harness.load.scenario.model import Step, StreamRule
from harness.load.scenario.places import Place
from harness.load.sse import ServerEvent, server_events
from harness.load.told import fill_telemetry, server_timing
from harness.providers.reading import (
    ChatReading,
    ConverseReading,
    GeminiReading,
    Heard,
    MessagesReading,
    ReadAnswer,
    ResponsesReading,
)
from harness.providers.reading.events import DONE, MOST_BODY_BYTES, TooLargeError
from harness.providers.reading.room import Room
from harness.providers.reading.values import merged, parse, whole_text
from harness.records import ErrorKind, RequestStatus

ROOMS: dict[str, type[Room]] = {
    "openai": ChatReading,
    "responses": ResponsesReading,
    "anthropic": MessagesReading,
    "gemini": GeminiReading,
    "bedrock": ConverseReading,
}
_DEEPEST_SHOWN = 3
_NOT_JSON = "the answer is not JSON"


class StepReader:
    """Reads the answers of one step. Compiled once; one `Reading` an answer.

    Args:
        step: says where things stand.
        also: further places that are looked at: tags.
    """

    def __init__(self, step: Step, also: tuple[Place, ...] = ()) -> None:
        self.step = step
        places = [*step.answer.places, *step.success.holds.places, *step.sets.values(), *also]
        if step.poll is not None:
            places += step.poll.until.places
            places += () if step.poll.failed is None else step.poll.failed.places
        if step.stream is not None and step.stream.done is not None:
            places += step.stream.done.places
        self.in_body = [place for place in places if place.header is None]
        self.in_events = list(dict.fromkeys(place for place in places if place.event is not None))
        self.merged = {step.answer.usage.at} if step.answer.usage and step.answer.usage.at else set()

    def read(self, response: Response, answer: Answer, request_id: str) -> "Reading":
        """Read a whole answer of a status that is taken."""
        reading = Reading(self, response, answer)
        reading.take_headers(request_id)
        step = self.step
        rule = step.stream
        if rule is None or (rule.kind == "sse" and "json" in str(response.get("content-type", ""))):
            reading.take_whole(response.read())
        elif rule.kind == "sse":
            events = server_events(response, unclosed=step.answer.wire is not None)
            reading.take_events(events, rule, request_id)
        elif rule.content is not None or self.in_events:
            reading.take_events(_lines(response), rule, request_id)
        else:
            reading.take_pieces(response)
        reading.settle()
        return reading


class Reading:
    """One answer as it is read.

    Attributes:
        said: what it told.
    """

    def __init__(self, reader: StepReader, response: Response, answer: Answer) -> None:
        self.said = Said()
        self._reader = reader
        self._step = reader.step
        self._response = response
        self._answer = answer
        self._body: Any = ABSENT
        self._told: dict[Place, Any] = {}
        self._last: dict[str, Any] = {}
        self._parts: list[str] = []
        self._room = None if self._step.answer.wire is None else ROOMS[self._step.answer.wire]()

    def at(self, place: Place) -> Any:
        """What the answer has at a place; `ABSENT` where it has nothing."""
        if place.header is not None:
            value = self._response.get(place.header)
            return ABSENT if value is None else value if isinstance(value, str) else ", ".join(value)
        if place.event is not None and self._body is ABSENT:
            return self._told.get(place, ABSENT)
        return ABSENT if self._body is ABSENT else place.within(self._body)

    def pointers(self) -> list[str]:
        """Every place that the answer has; of a stream, that the last event of each name has."""
        if self._body is not ABSENT:
            return list(_pointers(self._body, ""))
        return [f"event:{name}#{place}" for name, held in self._last.items() for place in _pointers(held, "")]

    def take_headers(self, request_id: str) -> None:
        """What the headers tell, whatever the scenario names."""
        timing = self._response.get("server-timing")
        if isinstance(timing, str):
            stages = server_timing(timing)
            self.said.server_ms = stages.pop("total", None)
            self.said.stages_ms = stages
        self.said.is_emulated = self._response.get("x-harness-emulated") is not None
        place = self._step.answer.completed_event
        if place is None:
            return
        told = self._response.get(place.header) if place.header is not None else None
        if told is None:
            self._answer.telemetry_missing = True
        elif isinstance(told, str):
            fill_telemetry(self._answer, told, request_id)
        else:
            self._answer.telemetry_broken = True

    def take_whole(self, body: bytes) -> None:
        """A body in one piece."""
        self._answer.size += len(body)
        if self._room is None and not self._reader.in_body:
            return
        try:
            self._body = parse(body)
        except ValueError:
            self._answer.fail(ErrorKind.BAD_OUTPUT, _NOT_JSON)
            return
        if self._room is not None:
            self._room.take_whole(self._body)

    def take_events(self, events: Iterator[ServerEvent], rule: StreamRule, request_id: str) -> None:
        """A stream of events, or of lines of JSON."""
        completed = self._step.answer.completed_event
        for event in events:
            self._answer.size += len(event.data)
            if event.data.startswith(DONE):
                if self._room is not None:
                    self._room.take_done()
                continue
            name = event.name.decode(errors="replace")
            if name and name == rule.error:
                fail_by_event(self._answer, event.data)
                continue
            if completed is not None and completed.event == name:
                self._answer.telemetry_missing = False
                fill_telemetry(self._answer, event.data, request_id)
            fields = self._parsed(event)
            self._note(fields, name)
            if (error := error_within(fields)) is not None:
                fail_by_event(self._answer, orjson.dumps(error))
            if self._room is not None:
                self._hear_room(self._room, fields, name, event.arrived_ns)
            else:
                self._hear(rule, fields, name, event)

    def take_pieces(self, response: Response) -> None:
        """Raw pieces of a body, as they arrive."""
        while piece := response.piece():
            self._answer.size += len(piece)
            if self._answer.size > MOST_BODY_BYTES:
                raise TooLargeError(f"the answer is larger than {MOST_BODY_BYTES} bytes")
            self._answer.hear(time.perf_counter_ns(), is_answer=True)
            self._parts.append(piece.decode(errors="replace"))

    def settle(self) -> None:
        """What the whole amounts to: its failure if it is one, and what it told."""
        if self._room is not None:
            read = self._room.answer()
            self._judge(read)
            self.said.take_read(read)
        elif self._parts:
            self.said.text = whole_text(self._parts)
        if self._reader.in_body or self._step.answer.places:
            self.said.take_places(self._step.answer, self.at)
        stream = self._step.stream
        if stream is not None and stream.done is not None and stream.done.broken(self.at):
            ends = ", ".join(place.text for place in stream.done.places)
            self._answer.fail(ErrorKind.CONNECTION, f"the stream ended before its end ({ends})")
        problem = self._step.success.holds.broken(self.at)
        if problem is not None:
            self._answer.fail(ErrorKind.BAD_OUTPUT, problem)

    def _parsed(self, event: ServerEvent) -> Any:
        """The event's JSON, where anyone looks into it; `ABSENT` where it has none."""
        if self._room is None and not self._reader.in_events and not self._content_pointer():
            return ABSENT
        try:
            return parse(event.data)
        except ValueError:
            if event.is_closed and (self._room is not None or event.data[:1] in (b"{", b"[")):
                self._answer.fail(ErrorKind.BAD_OUTPUT, "an event of the stream is not JSON")
            return ABSENT

    def _content_pointer(self) -> bool:
        stream = self._step.stream
        return stream is not None and stream.content is not None and bool(stream.content.pointer)

    def _note(self, fields: Any, name: str) -> None:
        """What stands at the scenario's places in this event; a usage told again adds to what was told."""
        if fields is ABSENT:
            return
        self._last[name] = fields
        for place in self._reader.in_events:
            if not place.is_told_by(name) or (value := place.within(fields)) in (ABSENT, None):
                continue
            known = self._told.get(place)
            if place in self._reader.merged and isinstance(known, dict) and isinstance(value, dict):
                value = merged(known, value)
            self._told[place] = value

    def _hear_room(self, room: Room, fields: Any, name: str, arrived_ns: int) -> None:
        if fields is ABSENT:
            return
        heard = room.take_event(fields, name=name)
        if heard is not Heard.NOTHING:
            self._answer.hear(arrived_ns, is_answer=heard is Heard.ANSWER)

    def _hear(self, rule: StreamRule, fields: Any, name: str, event: ServerEvent) -> None:
        """A piece that a user would see."""
        content = rule.content
        if content is None:
            piece: Any = event.data.decode(errors="replace")
        elif not content.is_told_by(name):
            return
        elif not content.pointer:
            piece = event.data.decode(errors="replace")
        else:
            piece = None if fields is ABSENT else content.within(fields)
        if piece is ABSENT or not piece:
            return
        if rule.gaps:
            self._answer.hear(event.arrived_ns, is_answer=True)
        elif self._answer.first_token_ns is None:
            self._answer.first_token_ns = event.arrived_ns
        if isinstance(piece, str):
            self._parts.append(piece)

    def _judge(self, read: ReadAnswer) -> None:
        """What the ending makes of it; one that reached the limit we set is as long as it was meant."""
        if read.failure is not None:
            if read.failure is not ErrorKind.TRUNCATED:
                rejected = read.failure is ErrorKind.RATE_LIMITED
                status = RequestStatus.REJECTED if rejected else RequestStatus.ERROR
                self._answer.fail(read.failure, read.problem, status=status)
        elif not read.is_complete:
            self._answer.fail(ErrorKind.CONNECTION, "the stream ended before its stop reason")


def _lines(response: Response) -> Iterator[ServerEvent]:
    """The lines of a chunked body as unnamed events; the last may lack its end."""
    while line := response.readline(b"\n"):
        if data := line.strip():
            yield ServerEvent(b"", data, time.perf_counter_ns())
    if data := response.read().strip():
        yield ServerEvent(b"", data, time.perf_counter_ns(), is_closed=False)


def _pointers(value: Any, pointer: str, depth: int = 0) -> Iterator[str]:
    if not isinstance(value, dict) or depth >= _DEEPEST_SHOWN:
        return
    for key, held in value.items():
        place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        yield place
        yield from _pointers(held, place, depth + 1)
