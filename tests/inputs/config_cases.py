"""Every loader of settings, how its files go wrong, and what must hold for each: read whole, or refused in a sentence."""

import csv
import io
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from pydantic import BaseModel

from harness.alerts import Webhook
from harness.alerts.rule import parse_window_s
from harness.alerts.rule_file import load_rules
from harness.emulator.faults import ALIASES
from harness.emulator.faults import load_rules as load_faults
from harness.errors import ConfigError, HarnessError
from harness.evaluation.suite import load_suite
from harness.gate.config import load_gate_config, parse_duration_ms
from harness.load.plan import LoadPlan, replay_offsets
from harness.orchestration.config_file import load_providers_file
from harness.orchestration.datasets import load_dataset
from harness.orchestration.routing import resolve_routing
from harness.orchestration.strategy_file import load_strategy_file
from harness.pricing.overrides import load_overrides
from harness.records import environment_name
from harness.report.reading import read_report
from harness.store import Redactor
from harness.tasks.briefs import load_cases
from harness.telemetry import configured_sinks
from tests.inputs import config_documents as documents
from tests.inputs.config_documents import CANARY, json_bytes

MOST_MESSAGE_CHARS = 900
CASE_LINE = b'{"case_id": "a", "archetype": "x", "industry": "y", "brief": "b"}\n'


class Verdict(StrEnum):
    """How one file fared; the last three are defects."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    CRASHED = "crashed"
    DROPPED = "silent drop"
    UNCLEAR = "unclear sentence"


@dataclass(frozen=True)
class Loader:
    """One loader of settings.

    Attributes:
        documents: valid content.
        render: content as a file's bytes.
        load: reads the file; raises what the loader raises.
        told: what was loaded, as the document that would load to it; equal to the document when nothing was dropped.
    """

    name: str
    file: str
    documents: st.SearchStrategy[Any]
    render: Callable[[Any], bytes]
    load: Callable[[Path], Any]
    told: Callable[[Any, Any], Any]


def yaml_bytes(document: Any) -> bytes:
    class Plain(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    return yaml.dump(document, Dumper=Plain, allow_unicode=True, sort_keys=False).encode()


def toml_bytes(document: Any) -> bytes:
    def value(item: Any) -> str:
        if isinstance(item, dict):
            return "{" + ", ".join(f"{dumps(name)} = {value(inner)}" for name, inner in item.items()) + "}"
        if isinstance(item, list):
            return f"[{', '.join(map(value, item))}]"
        if item is None:
            raise TypeError("TOML has no null")
        return dumps(item)

    lines = [f"{dumps(name)} = {value(item)}" for name, item in document.items()]
    return ("[tool.harness.gate]\n" + "\n".join(lines) + "\n").encode()


def json_lines(document: Any) -> bytes:
    return b"".join(dumps(case).encode() + b"\n" for case in document)


def csv_bytes(document: Any) -> bytes:
    """One column a field, which every case of a CSV file has; lists as JSON. A blank cell is an absent field."""
    names = sorted(document[0]) if document and isinstance(document[0], dict) else []
    if any(not isinstance(case, dict) or sorted(case) != names for case in document):
        raise ValueError("a CSV file has the same columns in every row")
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(names)
    for case in document:
        if any(not isinstance(value, list if name == "options" else str) for name, value in case.items()):
            raise TypeError("every cell is text, and options alone are a list")
        if any(isinstance(value, str) and not value.strip() for value in case.values()):
            raise ValueError("a blank cell says nothing")
        writer.writerow(dumps(case[name]) if name == "options" else case[name] for name in names)
    return file.getvalue().encode("utf-8", "surrogatepass")


def as_set(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(exclude_unset=True, by_alias=True)


def _gate(_: Any, config: Any) -> Any:
    return as_set(config)


def _suite(document: Any, suite: Any) -> Any:
    found = {"name": suite.name, "task": suite.task, "strategies": suite.strategies, "dataset": "cases.jsonl"}
    assert len(suite.cases) == 1
    marking = suite.marking
    written = [as_set(spec) if isinstance(spec, BaseModel) else spec for spec in marking.graders]
    told = {"graders": written, "families": marking.families}
    found |= {name: value for name, value in told.items() if name in document}
    if "pairwise" in document:
        found["pairwise"] = None if marking.pairwise is None else as_set(marking.pairwise)
    return found | ({"repeats": suite.repeats} if "repeats" in document else {})


def _load_suite(path: Path) -> Any:
    (path.parent / "cases.jsonl").write_bytes(CASE_LINE)
    return load_suite(str(path))


def _load_rules(path: Path) -> Any:
    found = load_rules(path)
    for problem in found.problems:
        _check_sentence(problem, (str(path), path.name))
    if found.problems:
        raise ConfigError(str(path), found.problems[0].removeprefix(f"{path}:"))
    return found


def _rules(document: Any, rules: Any) -> Any:
    by_name = {rule.name: as_set(rule) for rule in rules}
    told = [by_name.get(rule["name"]) for rule in document["rules"] if isinstance(rule["name"], str)]
    for said, found in zip(document["rules"], told, strict=False):
        scope, read = said.get("scope") or {}, (found or {}).get("scope") or {}
        if "environment" in scope and environment_name(scope["environment"]) == read.get("environment"):
            read["environment"] = scope["environment"]  # one spelling of an environment is meant
    return {"rules": told}


def _overrides(document: Any, found: Any) -> Any:
    told: dict[str, Any] = {}
    if "comment" in document:
        told["comment"] = document["comment"]
    if "provider_aliases" in document:
        lowered = found.provider_aliases
        told["provider_aliases"] = {
            name: to if lowered[name.lower()] == to.lower() else None
            for name, to in document["provider_aliases"].items()
        }
        assert len(lowered) == len(document["provider_aliases"])
    if "prices" in document:
        told["prices"] = [as_set(entry) for entry in found.prices]
    return told


def _report(document: Any, report: Any) -> Any:
    """The rows as written; what the reader says it left out is not silent."""
    left_out = set(report.unknown)
    told = {"schema": document["schema"], "run": _row(document["run"], report.run, "run", left_out)}
    tables = [("requests", report.requests), ("calls", report.calls)]
    if "grades" in document:
        tables.append(("grades", report.grades))
    for table, rows in tables:
        told[table] = [
            _row(row, found, table, left_out) for row, found in zip(document[table], rows, strict=True)
        ]
    return told | {name: document[name] for name in document if name in left_out | {"figures"}}


def _row(row: Any, found: Any, table: str, left_out: set[str]) -> Any:
    known = {item.name for item in fields(found)}
    told = {name: getattr(found, name) for name in row if name in known and f"{table}.{name}" not in left_out}
    return told | {name: row[name] for name in row if f"{table}.{name}" in left_out}


def _cases(document: Any, cases: Any) -> Any:
    told = []
    for row, case in zip(document, cases, strict=True):
        own = {name: getattr(case, name) for name in ("case_id", "archetype", "industry") if name in row}
        if "expected" in row:
            own["expected"] = case.expected
        if "language" in row:
            own["language"] = case.language
        for name in ("options", "figures"):
            if name in row:
                own[name] = getattr(case.labels, name)
        told.append({**own, **case.body})
    return told


def _faults(document: Any, rules: Any) -> Any:
    told = [as_set(rule) for rule in rules]
    return [
        {**rule, "kind": row["kind"]} if ALIASES.get(row.get("kind"), rule["kind"]) == rule["kind"] else rule
        for row, rule in zip(document, told, strict=True)
    ]


def _load_environment(path: Path) -> Any:
    """A file of variables, one `NAME=value` a line, as this process's environment."""
    lines = path.read_bytes().decode("utf-8", "surrogateescape").replace("\0", "").split("\n")
    env = dict(line.partition("=")[::2] for line in lines if "=" in line)
    routing = resolve_routing(env)
    for sink in configured_sinks({name: env[name] for name in env if name.startswith("DD_")}):
        sink.close()
    if env.get("HARNESS_ALERT_WEBHOOK", "").strip():
        Webhook(env["HARNESS_ALERT_WEBHOOK"].strip())
    return env, routing


def _environment(document: Any, loaded: Any) -> Any:
    _, routing = loaded
    settings = {setting.name: setting.value for setting in routing.settings}
    told = dict(document)
    seen = {
        "LLM_PROVIDER": settings["draft_graph.provider"],
        "COST_MAX_USD": str(routing.cost_max_usd),
        "LLM_STRATEGY": routing.strategy,
        "HARNESS_ENV": routing.environment,
        "OPENAI_BASE_URL": settings.get("openai.base_url"),
        "DD_AGENT_PORT": settings["DD_AGENT_PORT"],
        "DD_AGENT_HOST": settings["DD_AGENT_HOST"],
    }
    model = document.get("LLM_MODEL")
    if isinstance(model, str) and model not in ("auto", ""):
        seen["LLM_MODEL"] = settings["draft_graph.model"]
    blank = {name for name, value in document.items() if not value.strip()}  # counts as not set
    told |= {name: value for name, value in seen.items() if name in document and name not in blank}
    if told.get("HARNESS_ENV") == document.get("HARNESS_ENV", "").strip().lower():
        told["HARNESS_ENV"] = document["HARNESS_ENV"]  # in lower case, so that no check misses `Production`
    return told


def env_bytes(document: Any) -> bytes:
    lines = [f"{name}={value}" for name, value in document.items()]
    if any("\0" in line or "\n" in line for line in lines):
        raise ValueError("no environment holds NUL, and a file of lines no line break")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def _patterns(lines: list[str], redactor: Redactor) -> list[str]:
    """Blank lines and comments are no patterns; blanks around one are not of it."""
    found = iter(redactor._patterns)
    return [
        line if not line.strip(" \t") or line.startswith("#") else next(found).pattern or line
        for line in lines
    ]


def _dumped(_: Any, loaded: Any) -> Any:
    return as_set(loaded)


LOADERS = (
    Loader("providers file", "providers.json", documents.providers, json_bytes, load_providers_file, _dumped),
    Loader("strategy file", "mine.yaml", documents.strategy_files, yaml_bytes, load_strategy_file, _dumped),
    Loader("suite file", "mine.yaml", documents.suites, yaml_bytes, _load_suite, _suite),
    Loader(
        "gate.yaml",
        "gate.yaml",
        documents.limits,
        yaml_bytes,
        lambda path: load_gate_config(path, path.parent),
        _gate,
    ),
    Loader(
        "[tool.harness.gate]",
        "pyproject.toml",
        documents.limits,
        toml_bytes,
        lambda path: load_gate_config(None, path.parent),
        _gate,
    ),
    Loader("alert rules", "rules.yaml", documents.rule_lists, yaml_bytes, _load_rules, _rules),
    Loader(
        "price overrides",
        "prices.json",
        documents.overrides,
        json_bytes,
        lambda path: load_overrides(path, "overrides"),
        _overrides,
    ),
    Loader("load plan", "plan.json", documents.plans, json_bytes, LoadPlan.read, _dumped),
    Loader(
        "arrivals to replay",
        "offsets.json",
        documents.offsets,
        json_bytes,
        replay_offsets,
        lambda _, found: list(found),
    ),
    Loader("report file", "report.json", documents.reports, json_bytes, read_report, _report),
    Loader("dataset", "cases.jsonl", documents.datasets, json_lines, load_cases, _cases),
    Loader("dataset in YAML", "cases.yaml", documents.datasets, yaml_bytes, load_dataset, _cases),
    Loader("dataset in CSV", "cases.csv", documents.csv_datasets, csv_bytes, load_dataset, _cases),
    Loader(
        "fault rules",
        "faults.json",
        documents.faults,
        json_bytes,
        lambda path: load_faults(str(path)),
        _faults,
    ),
    Loader(
        "redaction patterns",
        "patterns.txt",
        documents.patterns,
        lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"),
        lambda path: Redactor.from_environment({"HARNESS_REDACT": str(path)}),
        _patterns,
    ),
    Loader(
        "environment variables",
        "variables",
        documents.environments,
        env_bytes,
        _load_environment,
        _environment,
    ),
)


def judge(loader: Loader, folder: Path, data: bytes, document: Any = None) -> tuple[Verdict, str]:
    """Load a file with these bytes; where the document is known, everything in it must have arrived."""
    path = folder / loader.name.replace(" ", "-") / loader.file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    try:
        loaded = loader.load(path)
    except HarnessError as error:
        try:
            _check_sentence(str(error), (str(path.parent), path.name, *_variables(data)))
        except AssertionError as unclear:
            return Verdict.UNCLEAR, f"{unclear}: {error}"
        return Verdict.REFUSED, str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        return Verdict.CRASHED, f"{type(error).__name__}: {error}"
    if document is None:
        return Verdict.ACCEPTED, ""
    try:
        told = loader.told(document, loaded)
    except (AssertionError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Verdict.DROPPED, f"{type(error).__name__}: {error}"
    if not same(document, told):
        return Verdict.DROPPED, f"{document!r} was read as {told!r}"
    return Verdict.ACCEPTED, ""


def _variables(data: bytes) -> list[str]:
    return [line.partition(b"=")[0].decode("utf-8", "replace") for line in data.split(b"\n") if b"=" in line]


def _check_sentence(text: str, places: tuple[str, ...]) -> None:
    assert len(text) <= MOST_MESSAGE_CHARS, "too long"
    assert text.isprintable(), "not one printable line"
    assert CANARY[13:] not in text, "shows a key"
    assert "Traceback" not in text, "a traceback"
    assert any(place in text for place in places), "names no place"


def same(document: Any, told: Any) -> bool:
    """True when what was loaded says what was written, without a change of type."""
    if isinstance(document, dict):
        if not isinstance(told, dict) or document.keys() != told.keys():
            return False
        return all(same(item, told[name]) for name, item in document.items())
    if isinstance(document, list):
        matching = isinstance(told, list | tuple) and len(told) == len(document)
        return matching and all(map(same, document, told))
    if isinstance(document, bool) or isinstance(told, bool) or document is None or told is None:
        return document is told
    if isinstance(document, int | float):
        return isinstance(told, int | float | Decimal) and _equal(document, told)
    return _same_text(document, told)


def _equal(number: float, told: Any) -> bool:
    return (
        Decimal(str(number)) == told if isinstance(told, Decimal) else number == told or _near(number, told)
    )


def _near(number: float, told: float) -> bool:
    """The same as a float, which is what a large whole number becomes in a field of floats."""
    try:
        return float(number) == float(told)
    except OverflowError:
        return False


def _same_text(text: str, told: Any) -> bool:
    if isinstance(told, Decimal):
        return Decimal(text) == told
    if isinstance(told, datetime):
        return datetime.fromisoformat(text) == told
    if isinstance(told, int | float):  # a duration
        return told in (_or_none(parse_window_s, text), _or_none(parse_duration_ms, text))
    if hasattr(told, "isoformat"):
        return bool(told.isoformat() == text)
    return Path(text) == told if isinstance(told, Path) else bool(text == told)


def _or_none(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, HarnessError):
        return None


def _deep(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


ODD_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from([None, True, False, 0, -1, 1.5, "", " ", "0", "1", "true", "null", "nan", [], {}, [[]], {"a": 1}]),
    st.sampled_from([CANARY, "\0", "\ud800", "x" * 3000, "2026-01-31", "1e3", "~", "\u2028", "\x1b[31m", "8s", "15m"]),
    st.sampled_from([10**30, -(10**400), 1e308, float("inf"), float("nan")]),
    st.integers(1, 80).map(_deep),
    documents.json_values,
)  # fmt: skip


ODD_KEYS = st.sampled_from(
    [CANARY, "", "x", "Name", "provider ", "\u00e9", "a.b", "__class__", "max_p59", "1"]
)


@st.composite
def altered(draw: st.DrawFn, loader: Loader) -> Any:
    """A valid document with one to two changes: a key added, misspelt or lost, a value of another kind."""
    document = draw(loader.documents)
    for _ in range(draw(st.integers(1, 2))):
        holders = list(_containers(document))
        if not holders:
            return document
        holder = draw(st.sampled_from(holders))
        _alter(draw, holder)
    return text_only(document) if loader.file in ("variables", "patterns.txt") else document


def text_only(document: Any) -> Any:
    """Every value as text, which is all that a line of a file or a variable can hold."""
    if isinstance(document, dict):
        return {name: str(value) for name, value in document.items()}
    return [str(value) for value in document]


def anything(loader: Loader) -> st.SearchStrategy[bytes]:
    """Any bytes; for the environment, any text in any variable."""
    if loader.file != "variables":
        return st.binary(max_size=300)
    odd = st.text(st.characters(exclude_characters="\0\n", exclude_categories=["Cs"]), max_size=60)
    return st.dictionaries(documents.variable_names, odd | st.just(CANARY), max_size=4).map(env_bytes)


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for item in value.values() if isinstance(value, dict) else value:
            yield from _containers(item)


def _alter(draw: st.DrawFn, holder: Any) -> None:
    if isinstance(holder, list):
        if holder and draw(st.booleans()):
            holder[draw(st.integers(0, len(holder) - 1))] = deepcopy(draw(ODD_VALUES))
        else:
            holder.append(deepcopy(draw(ODD_VALUES)))
        return
    name = draw(st.sampled_from(sorted(holder))) if holder else None
    kind = draw(st.sampled_from(["value", "value", "misspell", "lose", "add"]))
    if kind == "add" or name is None:
        holder[draw(ODD_KEYS)] = deepcopy(draw(ODD_VALUES))
    elif kind == "value":
        holder[name] = deepcopy(draw(ODD_VALUES))
    elif kind == "misspell":
        holder[name[:-1] or "x"] = holder.pop(name)
    else:
        del holder[name]


PIECES = st.sampled_from(
    [
        b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\r\n", b"\r", b"\xc3", b"\xed\xa0\x80", b"\x85", b"\xe2\x80\xa8",
        b"[" * 3000, b'{"a":' * 3000, b"- " * 2000, b"9" * 5000, b"1e999999999", b"-Infinity", b"NaN", b".inf",
        b"&a [*a]", b"<<: {a: 1}", b"!!python/name:os.system", b"!!binary aGk=", b"2001-99-99", b"1:2:3.5", b"? [a]\n: b",
        CANARY.encode(), b'"' + CANARY.encode() + b'": 1, ', b"---\n", b"%YAML 9.9\n", b"\t", b"#", b"'", b'"', b"}", b"]",
    ]
) | st.binary(max_size=12)  # fmt: skip

edits = st.lists(
    st.tuples(st.sampled_from(["insert", "flip", "cut", "truncate", "repeat"]), st.floats(0, 1), PIECES),
    min_size=1,
    max_size=4,
)


def rendered(loader: Loader, document: Any) -> bytes | None:
    """The document's bytes; None where the format cannot hold it (NaN in no JSON, a list in no variable)."""
    try:
        return loader.render(document)
    except (ValueError, TypeError, OverflowError, yaml.YAMLError):
        return None
