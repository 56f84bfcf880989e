"""A scenario bound to one run: sends its requests, step by step, and makes one answer of what comes back.

It never raises for what a target does, because a target's failure is data.
"""

import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import orjson

from harness.errors import ConfigError
from harness.inputs import ABSENT
from harness.keys import without_keys
from harness.load.answer import MAX_EXCERPT_CHARS, Answer, judge_status
from harness.load.bound import BoundScenario, BoundStep, Parcel
from harness.load.cost import CostRule
from harness.load.message import RequestLine, Response, Sender
from harness.load.reading import Reading, StepReader
from harness.load.said import Said
from harness.load.scenario.model import Step
from harness.providers.reading.events import TooLargeError
from harness.providers.reading.excerpts import excerpt, message_of
from harness.providers.reading.failures import kind_of
from harness.providers.reading.values import parse
from harness.records import ErrorKind, RequestStatus
from harness.records.tags import tags_of


class Exchange:
    """Asks the requests of a scenario that is bound to a run.

    Args:
        bound: the scenario with the run's headers and values.
        cost: prices the answers.

    Attributes:
        on_read: told of each answer that was read, for who wants to see what was found where.
    """

    def __init__(self, bound: BoundScenario, cost: CostRule) -> None:
        self.scenario = bound.scenario
        self.bound = bound
        self.on_read: Callable[[Step, Reading], None] | None = None
        self._cost = cost
        self._tag_places = {
            name: tag.place for name, tag in self.scenario.tags.items() if tag.place is not None
        }
        also = tuple(self._tag_places.values())
        self._steps = [(step, StepReader(step.step, also)) for step in bound.steps]
        self._prices = (
            any(_tells_cost(step) for step in self.scenario.steps) or self.scenario.price is not None
        )
        self._has_event = any(step.answer.completed_event for step in self.scenario.steps)

    @property
    def name(self) -> str:
        """As in the records and in Locust's tables."""
        return self.scenario.name

    def perform(
        self, sender: Sender, request_id: str, parcel: Parcel, answer: Answer | None = None
    ) -> Answer:
        """Ask once, all steps, and read the answer to its end.

        Args:
            sender: carries the requests.
            request_id: of all steps.
            parcel: the case.
            answer: filled as it comes, for who may give up in between; see `given_up`.
        """
        answer = Answer() if answer is None else answer
        started_ns = time.perf_counter_ns()
        said: list[Said] = []
        values: dict[str, Any] = {}
        tags: dict[str, str] = dict(parcel.tags)
        for number, (step, reader) in enumerate(self._steps):
            begun_ns = time.perf_counter_ns()
            if self.scenario.is_journey:
                answer.step = step.step.name
            try:
                asked = self._asked(step, number, parcel, values, request_id)
            except ConfigError as error:  # what an earlier step told cannot stand where it is asked for
                answer.fail(ErrorKind.BAD_OUTPUT, f"step '{step.step.name}' cannot be asked: {error.problem}")
                break
            reading = self._take(sender, reader, request_id, asked, answer)
            if reading is not None:
                if self.on_read is not None:
                    self.on_read(step.step, reading)
                said.append(reading.said)
                self._keep(step.step, reading, answer, values, tags)
            if self.scenario.is_journey:
                stages = answer.columns.setdefault("stages_ms", {})
                stages[step.step.name] = (time.perf_counter_ns() - begun_ns) / 1e6
            if answer.status is not RequestStatus.OK:
                self._blame(step.step, answer, asked)
                break
        answer.done_ns = time.perf_counter_ns()
        self._settle(answer, said, tags, answer.done_ns - started_ns)
        return answer

    def given_up(self, begun: Answer, timeout_s: float, service_ns: int) -> Answer:
        """The answer to a request that took too long: what of it had come counts for nothing.

        Args:
            begun: what had come.
            timeout_s: how long it was waited for.
            service_ns: the same as it was measured, nanoseconds.
        """
        answer = Answer()
        sentence = f"no complete answer within {timeout_s:g} s"
        if begun.step is not None:
            sentence = f"step '{begun.step}': {sentence}"
            answer.columns["stages_ms"] = dict(begun.columns.get("stages_ms", {}))
        answer.fail(ErrorKind.TIMEOUT, sentence, status=RequestStatus.TIMEOUT)
        answer.columns |= self._cost.columns([], service_ns)
        return answer

    def _asked(
        self, step: BoundStep, number: int, parcel: Parcel, values: dict[str, Any], request_id: str
    ) -> tuple[RequestLine, bytes | None]:
        """The step's request; the first step's is the same each time, and kept."""
        if number or not step.is_same_each_time:
            return step.asked({**parcel.values, **values, "request_id": request_id})
        if parcel.first is None:
            parcel.first = step.asked(parcel.values)
        return parcel.first

    def _take(
        self,
        sender: Sender,
        reader: StepReader,
        request_id: str,
        asked: tuple[RequestLine, bytes | None],
        answer: Answer,
    ) -> Reading | None:
        """The step's answer; None where none could be read, and then the answer has failed."""
        poll = reader.step.poll
        if poll is None:
            return self._ask(sender, reader, request_id, asked, answer)
        until_ns = time.perf_counter_ns() + int(poll.at_most_s * 1e9)
        while True:
            reading = self._ask(sender, reader, request_id, asked, answer)
            if reading is None or answer.status is not RequestStatus.OK:
                return reading
            if poll.until.broken(reading.at) is None:
                return reading
            if poll.failed is not None and poll.failed.broken(reading.at) is None:
                answer.fail(ErrorKind.BAD_OUTPUT, "the job failed")
                return reading
            if time.perf_counter_ns() + poll.every_s * 1e9 > until_ns:
                sentence = f"not done within {poll.at_most_s:g} s"
                answer.fail(ErrorKind.TIMEOUT, sentence, status=RequestStatus.TIMEOUT)
                return reading
            time.sleep(poll.every_s)

    def _ask(
        self,
        sender: Sender,
        reader: StepReader,
        request_id: str,
        asked: tuple[RequestLine, bytes | None],
        answer: Answer,
    ) -> Reading | None:
        line, body = asked
        try:
            response = sender.send(line, request_id, body)
            answer.first_byte_ns = time.perf_counter_ns()
            answer.http_status = response.status_code
            if reader.step.success.takes(response.status_code):
                return reader.read(response, answer, request_id)
            self._refuse(reader.step, response, answer)
        except TimeoutError as error:
            answer.fail(ErrorKind.TIMEOUT, str(error) or "timed out", status=RequestStatus.TIMEOUT)
        except TooLargeError as error:
            answer.fail(ErrorKind.BAD_OUTPUT, str(error))
        except (OSError, ValueError, HTTPException) as error:
            answer.fail(ErrorKind.CONNECTION, f"{type(error).__name__}: {error}")
        except RuntimeError as error:  # geventhttpclient's parser errors descend from it
            answer.fail(ErrorKind.CONNECTION, f"{type(error).__name__}: {error}")
        return None

    def _refuse(self, step: Step, response: Response, answer: Answer) -> None:
        """Judge a status that is none of an answer."""
        status, body = response.status_code, response.read()
        if 200 <= status < 300:
            wanted = ", ".join(map(str, step.success.statuses))
            answer.fail(ErrorKind.BAD_OUTPUT, f"status {status}, where {wanted} is an answer")
        elif step.answer.wire is None:
            judge_status(answer, status, body)
        else:
            try:
                told: object = parse(body)
            except ValueError:
                told = body.decode(errors="replace")
            kind = kind_of(status, told)
            rejected = kind is ErrorKind.RATE_LIMITED
            answer.fail(
                kind,
                message_of(told),
                status=RequestStatus.REJECTED if rejected else RequestStatus.ERROR,
            )

    def _keep(
        self,
        step: Step,
        reading: Reading,
        answer: Answer,
        values: dict[str, Any],
        tags: dict[str, str],
    ) -> None:
        """What later steps need, and what is kept to group by."""
        for name, place in step.sets.items():
            value = reading.at(place)
            if value is ABSENT or value is None:
                answer.fail(ErrorKind.BAD_OUTPUT, f"the answer has no {place.text} for '{name}'")
            values[name] = value
        for name, place in self._tag_places.items():
            if (text := _tag(reading.at(place))) is not None:
                tags[name] = text
        if reading.said.text is not None:
            answer.text = reading.said.text

    def _blame(self, step: Step, answer: Answer, asked: tuple[RequestLine, bytes | None]) -> None:
        """Make what went wrong fit to be kept, with the name of the step that failed."""
        if answer.error_text:
            text = excerpt(answer.error_text, asked=_texts(asked[1]), limit=4 * MAX_EXCERPT_CHARS)
            answer.error_text = f"step '{step.name}': {text}" if self.scenario.is_journey else text

    def _settle(self, answer: Answer, said: list[Said], tags: dict[str, str], service_ns: int) -> None:
        """The columns of the row."""
        columns = answer.columns
        if kept := tags_of(tags, without_keys):
            columns["tags"] = kept
        told = self._cost.columns(said, service_ns) if self._prices or not self._has_event else {}
        for name, value in told.items():
            columns.setdefault(name, value)
        if columns.get("cost_usd") is not None:
            columns.pop("unpriced_because", None)
        if said:
            self._tell(said[-1], answer)

    def _tell(self, last: Said, answer: Answer) -> None:
        """What the last answer told beside its cost; the completed event goes before it."""
        found: dict[str, Any] = {"quality_tier": last.tier, "quality_score": last.score, "answer_id": last.id}
        if not self.scenario.is_journey:
            found |= {"server_ms": last.server_ms, "stages_ms": last.stages_ms or None}
        for name, value in found.items():
            if value is not None:
                answer.columns.setdefault(name, value)
        if last.usage is not None:
            heard_thinking = answer.first_answer_ns != answer.first_token_ns
            hidden = 0 if heard_thinking else last.usage.reasoning_tokens
            answer.tokens = last.usage.output_tokens - hidden


def _tells_cost(step: Step) -> bool:
    return bool(step.answer.wire or step.answer.usage or step.answer.cost_usd)


def _tag(value: Any) -> str | None:
    """A tag's text; an object or a list is none."""
    if value is ABSENT or value is None or isinstance(value, dict | list):
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text.strip() or None


def _texts(body: bytes | None) -> list[str]:
    """Every text of what was asked: a target's error must not carry it into the records."""
    try:
        pending: list[object] = [orjson.loads(body or b"null")]
    except orjson.JSONDecodeError:
        return [(body or b"").decode(errors="replace")]
    found: list[str] = []
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return found
