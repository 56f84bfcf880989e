"""inspect_ai's logs, `.eval` and JSON: a request is one sample in one epoch.

Its `input_tokens` leave cached ones out for every provider. A sample's own times hold waiting and tools: its
latency here is the time of its model calls alone. An errored sample is in `total_samples` only.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import ConfigError
from harness.imports.results.archive import member_json, member_names
from harness.imports.results.observed import (
    Contents,
    Observed,
    Unreadable,
    milliseconds,
    moment,
    number,
    table,
    told,
    whole,
)
from harness.imports.results.source import ResultFile
from harness.records import RequestStatus, RunKind, RunStatus

TITLE = "inspect_ai .eval and JSON logs"
_HEADER, _BEGUN = "header.json", "_journal/start.json"
_STATUS = {"success": RunStatus.COMPLETED, "error": RunStatus.FAILED}
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}


def recognises(source: ResultFile) -> bool:
    """A log's header, in a zip archive or at the top of a JSON file."""
    if source.is_zip:
        return bool({_HEADER, _BEGUN} & set(member_names(source)))
    return "eval" in source.top and "task" in table(source.top["eval"])


def contents(source: ResultFile) -> Contents:
    """Every sample of a log, finished or not.

    Raises:
        ConfigError: the archive is broken.
    """
    header = _header(source)
    about, stats = table(header.get("eval")), table(header.get("stats"))
    version = table(about.get("packages")).get("inspect_ai")
    results = table(header.get("results"))
    found = Contents(
        tool=f"inspect_ai {version}" if version else "inspect_ai",
        kind=RunKind.EVAL,
        status=_STATUS.get(str(header.get("status")), RunStatus.INTERRUPTED),
        started_at=moment(stats.get("started_at") or about.get("created")),
        ended_at=moment(stats.get("completed_at")),
        figures=_figures(results),
    )
    found.rows = _rows(source, about, _headline(results), found)
    return found


def _header(source: ResultFile) -> Mapping[str, Any]:
    if not source.is_zip:
        return source.top
    names = set(member_names(source))
    return table(member_json(source, _HEADER if _HEADER in names else _BEGUN))


def _samples(source: ResultFile) -> Iterator[Any]:
    if source.is_zip:
        yield from (member_json(source, name) for name in member_names(source) if name.startswith("samples/"))
        return
    samples = source.top.get("samples")
    if not isinstance(samples, list):
        raise ConfigError(str(source.path), "holds a log's header without its samples")
    yield from samples


def _rows(
    source: ResultFile, about: Mapping[str, Any], headline: str | None, found: Contents
) -> Iterator[Observed | Unreadable]:
    asked = str(about.get("model"))
    others = 0
    for place, sample in enumerate(_samples(source), start=1):
        if not isinstance(sample, dict) or "id" not in sample:
            yield Unreadable(number=place, problem="is no sample of a log")
            continue
        others += sum(name != asked for name in table(sample.get("model_usage")))
        yield _row(place, sample, about, headline)
    if others:
        found.remarks = [
            f"{others} samples also asked other models, a grader's among them: not in these tokens and costs"
        ]


def _row(place: int, sample: Mapping[str, Any], about: Mapping[str, Any], headline: str | None) -> Observed:
    asked = str(about.get("model"))
    provider, _, model = asked.partition("/")
    error = table(sample.get("error"))
    calls = [event for event in sample.get("events") or () if table(event).get("event") == "model"]
    from_cache = bool(calls) and all(call.get("cache") == "read" for call in calls)
    usage = {} if from_cache else table(table(sample.get("model_usage")).get(asked))
    return Observed(
        number=place,
        status=RequestStatus.ERROR if error else RequestStatus.OK,
        error_message=str(error.get("message")) if error else None,
        provider=provider if model else None,
        model=model or asked,
        strategy=asked,
        scenario=str(about.get("task")),
        case_id=str(sample["id"]),
        repeat=whole(sample.get("epoch")),
        started_at=moment(sample.get("started_at")),
        latency_ms=None if error or from_cache else _call_ms(calls),
        input_tokens=_input(usage),
        cache_read_tokens=whole(usage.get("input_tokens_cache_read")),
        cache_write_tokens=whole(usage.get("input_tokens_cache_write")),
        output_tokens=whole(usage.get("output_tokens")),
        score=None if error else _score(table(sample.get("scores")), headline),
        from_cache=from_cache,
    )


def _input(usage: Mapping[str, Any]) -> int | None:
    plain = whole(usage.get("input_tokens"))
    if plain is None:
        return None
    return plain + sum(whole(usage.get(f"input_tokens_cache_{kind}")) or 0 for kind in ("read", "write"))


def _call_ms(calls: Sequence[Mapping[str, Any]]) -> float | None:
    """The sum of the calls' own times; None where one is not told."""
    times = [milliseconds(table(call.get("output")).get("time"), scale=1000) for call in calls]
    known = [one for one in times if one is not None]
    return sum(known) if known and len(known) == len(times) else None


def _headline(results: Mapping[str, Any]) -> str | None:
    """The scorer that the log puts first; None leaves it to each sample's first."""
    scorer = table(results.get("headline")).get("scorer")
    scores = results.get("scores") or [{}]
    return str(scorer) if scorer else table(scores[0]).get("name")


def _score(scores: Mapping[str, Any], headline: str | None) -> float | None:
    """0..1: correct, partly, incorrect as 1, 0.5 and 0; anything else is ungraded."""
    name = headline if headline in scores else next(iter(scores), None)
    value = table(scores.get(str(name))).get("value")
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and value in _LETTERS:
        return _LETTERS[value]
    found = number(value)
    return found if found is not None and found <= 1 else None


def _figures(results: Mapping[str, Any]) -> list[Any]:
    figures = told(
        {"samples": results.get("total_samples"), "completed_samples": results.get("completed_samples")},
        of="samples by epoch, errored ones in the first only",
    )
    for entry in results.get("scores") or ():
        for name, metric in table(table(entry).get("metrics")).items():
            scored = f"samples that {table(entry).get('name')} scored, epochs reduced to one"
            figures += told(
                {name: table(metric).get("value")}, of=scored, group=str(table(entry).get("name"))
            )
    return figures
