"""A scenario bound to one run's target and environment: headers with values, cases ready to ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from harness.addresses import is_loopback, under_version
from harness.errors import ConfigError
from harness.inputs import ABSENT, Template, missing_column, value_named
from harness.load.message import RequestLine
from harness.load.plan import LoadPlan
from harness.load.scenario.model import Scenario, Step
from harness.load.scenario.templates import path_of
from harness.providers.capabilities import capabilities_of
from harness.tasks.briefs import OWN_KEYS, BriefCase


@dataclass(slots=True)
class Parcel:
    """One case, ready to be asked.

    Attributes:
        case: as its data set has it.
        values: what templates may name: built-in values and the case's columns.
        first: line and body of the first step, made when it is first asked.
    """

    case: BriefCase
    values: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    first: tuple[RequestLine, bytes | None] | None = None


class BoundStep:
    """One step with the run's headers in it.

    Attributes:
        is_same_each_time: for one case; it does not name the request's own id.
    """

    def __init__(self, scenario: "BoundScenario", step: Step) -> None:
        self.step = step
        self._headers = scenario.headers_of(step)
        self._query = scenario.query_of(step)
        self._prefix = scenario.prefix
        names = {name for template in self._line_templates for name in template.names}
        self._line = None if names else self._made({})
        whole = names | {name for template in step.templates for name in template.names}
        self.is_same_each_time = "request_id" not in whole

    @property
    def _line_templates(self) -> list[Template]:
        pairs = (*self._headers, *self._query)
        return [self.step.path, *(template for _, template in pairs)]

    def asked(self, values: Mapping[str, Any]) -> tuple[RequestLine, bytes | None]:
        """The request for these values."""
        body = None if self.step.body is None else self.step.body.render(values)
        return self._line or self._made(values), body

    def check(self, values: Mapping[str, Any]) -> None:
        """Refuse values that cannot stand in the headers that name them.

        Raises:
            ConfigError: names the line.
        """
        for name, template in self._headers:
            if template.names:
                _header(name, template, values)

    def _made(self, values: Mapping[str, Any]) -> RequestLine:
        headers = tuple((name, _header(name, template, values)) for name, template in self._headers)
        path = path_of(self.step.path, self._query, values)
        return RequestLine(method=self.step.method, path=self._prefix(path), headers=headers)


class BoundScenario:
    """A scenario for one run.

    Args:
        scenario: what is asked.
        plan: the run; its target, model and id.
        env: where variables of headers and queries are looked for.
        more_headers: of the command, over the scenario's own.

    Attributes:
        holds: what the scenario says of provider and mode holds for this target.
        secrets: values to mask in whatever is kept.

    Raises:
        UsageError: a variable is not set.
    """

    def __init__(
        self,
        scenario: Scenario,
        plan: LoadPlan,
        env: Mapping[str, str],
        more_headers: Mapping[str, str],
    ) -> None:
        self.scenario = scenario
        self._plan = plan
        self._env = env
        self._more = more_headers
        host = urlsplit(plan.target).hostname or ""
        self._is_local = is_loopback(host)
        self.holds = not scenario.hosts or host in scenario.hosts
        self.secrets: tuple[str, ...] = tuple(more_headers.values())
        self.steps = [BoundStep(self, step) for step in scenario.steps]
        self._built_in = self._built_in_values()
        self._columns = scenario.columns

    @property
    def check_headers(self) -> dict[str, str]:
        """What the target's health path is asked with: the first step's headers that name no column."""
        pairs = self.headers_of(self.scenario.steps[0])
        skipped = ("content-type", "accept", "user-agent")
        return {
            name: template.render({})
            for name, template in pairs
            if not template.names and name.lower() not in skipped
        }

    def prefix(self, path: str) -> str:
        """The path under the target; SDK-style base URLs say the version already."""
        return under_version(self._plan.target, path)

    def headers_of(self, step: Step) -> list[tuple[str, Template]]:
        """A step's headers with variables in them, and what every request carries."""
        found: dict[str, tuple[str, Template]] = {
            "user-agent": ("User-Agent", Template.parse("harness", self.scenario.source))
        }
        if self._is_local:
            run_id = Template.parse("{run_id}", self.scenario.source).render({"run_id": self._plan.run_id})
            found["x-harness-run-id"] = ("X-Harness-Run-Id", _literal(run_id, self.scenario.source))
        for name, text in step.headers:
            if text.variables and not self._may_have_secrets:
                continue
            local = bool(self.scenario.hosts) and self._is_local
            bound = text.bound(self._env, what=f"the header {name}", local=local)
            if text.variables:
                self._keep_secret(text.variables, bound)
            found[name.lower()] = (name, bound)
        for name, value in self._more.items():
            found[name.lower()] = (name, _literal(value, self.scenario.source))
        return [(name, self._with_run_id(template)) for name, template in found.values()]

    def query_of(self, step: Step) -> tuple[tuple[str, Template], ...]:
        """A step's query with variables in it."""
        found = []
        for name, text in step.query:
            if text.variables and not self._may_have_secrets:
                continue
            bound = text.bound(self._env, what=f"the query field {name}")
            if text.variables:
                self._keep_secret(text.variables, bound)
            found.append((name, bound))
        return tuple(found)

    def parcel(self, case: BriefCase) -> Parcel:
        """A case, ready to be asked.

        Raises:
            ConfigError: it lacks a column that a template names; says the line of both, and what there is.
        """
        columns = case.columns
        for name, source in self._columns.items():
            if name not in self._built_in and value_named(columns, name) is ABSENT:
                hint = "; name it with --model" if name in ("model", "limit_field") else ""
                problem = f"{missing_column(name, columns)}, but {source} asks for it{hint}"
                raise ConfigError(case.where or self.scenario.source, problem)
        values = {**self._built_in, **columns}
        if "case" in self._columns:
            values["case"] = _whole(case)
        self.steps[0].check(values)
        tags = {
            name: text
            for name, tag in self.scenario.tags.items()
            if tag.template is not None and (text := tag.template.render(values).strip())
        }
        return Parcel(case=case, values=values, tags=tags)

    @property
    def _may_have_secrets(self) -> bool:
        """Whether this target may have what the environment holds."""
        return self.holds or self._is_local

    def _keep_secret(self, variables: tuple[str, ...], bound: Template) -> None:
        values = (self._env.get(name, "") for name in variables)
        whole = bound.render({}) if not bound.names else ""
        kept = [value for value in (*values, whole) if value]
        self.secrets = tuple(dict.fromkeys((*self.secrets, *kept)))

    def _with_run_id(self, template: Template) -> Template:
        """Headers that name only the run are the same in every request."""
        if set(template.names) != {"run_id"}:
            return template
        return _literal(template.render({"run_id": self._plan.run_id}), template.source)

    def _built_in_values(self) -> dict[str, Any]:
        """What templates may name beside columns; a request's own id is filled in when it is sent."""
        model = self._plan.model
        found: dict[str, Any] = {"run_id": self._plan.run_id, "request_id": "", "case": {}}
        if model:
            found |= {"model": model, "limit_field": capabilities_of("openai", model).limit_field}
        return found


def _whole(case: BriefCase) -> Mapping[str, Any]:
    """The case without what describes it."""
    return {name: value for name, value in case.columns.items() if name not in OWN_KEYS}


def _literal(text: str, source: str) -> Template:
    return Template(source, ((text, None),))


def _header(name: str, template: Template, values: Mapping[str, Any]) -> str:
    value = template.render(values)
    if not value.isascii() or not value.isprintable():
        raise ConfigError(template.source, f"the header {name} would not be printable ASCII")
    return value
