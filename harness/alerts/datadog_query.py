"""Datadog's metric queries: built from the catalogue, and read back by a grammar of our own.

    query   = sum
    sum     = product {("+" | "-") product}
    product = factor {("*" | "/") factor}
    factor  = number | "(" sum ")" | function "(" sum {"," number} ")" | metric
    metric  = aggregator ":" name "{" filter "}" [" by {" tags "}"] {".as_count()" | ".rollup(...)"}
    filter  = "*" | term {(" AND " | " OR ") term};   term = ["NOT "] tag ":" value | "(" filter ")"
    monitor = aggregator "(last_" window "):" query (">" | "<") number

The grammar checks what the client's models cannot: a query is only a string to them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from harness.telemetry.catalogue import METRICS, Metric, MetricKind

CONSTANT_TAGS = frozenset({"service", "env"})
"""Tags that the sink adds to every metric."""
FUNCTIONS = frozenset({"abs", "default_zero", "hour_before"})
_BY_NAME = {metric.name: metric for metric in METRICS}
_DISTRIBUTION = re.compile(r"avg|sum|min|max|count|p(50|75|90|95|99)")
_COUNT = re.compile(r"sum|avg|min|max")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>[-+*/(){},:<>.$]))"
)
_MONITOR = re.compile(
    r"(?P<over>avg|sum|min|max|percentile)\(last_(?P<window>\d+[mhd])\):(?P<query>.+?) "
    r"(?P<sign>[<>]) (?P<limit>-?\d+(?:\.\d+)?)"
)
_FILTER_TERM = re.compile(r"(?P<tag>[a-z_][a-z0-9_]*):(?P<value>[A-Za-z0-9_\-./*]+)|(?P<variable>\$[a-z_]+)")


@dataclass(frozen=True, slots=True)
class Used:
    """One metric as a query uses it: which tags it filters and groups by."""

    metric: Metric
    tags: frozenset[str] = field(default_factory=frozenset)


def metric_query(
    metric: Metric,
    aggregator: str,
    where: str,
    *,
    by: tuple[str, ...] = (),
    as_count: bool = False,
    rollup_s: int | None = None,
) -> str:
    """One metric's query; `where` is a filter of the catalogue's tags."""
    grouped = f" by {{{','.join(by)}}}" if by else ""
    counted = ".as_count()" if as_count else ""
    rolled = f".rollup(sum, {rollup_s})" if rollup_s else ""
    return f"{aggregator}:{metric.name}{{{where}}}{grouped}{counted}{rolled}"


def read_monitor(query: str) -> list[Used]:
    """What a monitor's query uses.

    Raises:
        ValueError: it is not in the grammar, or names what is not in the catalogue.
    """
    match = _MONITOR.fullmatch(query)
    if match is None:
        raise ValueError(f"not a monitor's query: {query}")
    return read_query(match["query"])


def read_query(query: str) -> list[Used]:
    """What a metric query uses.

    Raises:
        ValueError: it is not in the grammar, or names what is not in the catalogue.
    """
    reader = _Reader(query)
    reader.sum()
    reader.end()
    return reader.used


class _Reader:
    """Recursive descent over one query."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.used: list[Used] = []

    def fail(self, problem: str) -> ValueError:
        return ValueError(f"{problem} at {self.at} of: {self.text}")

    def peek(self) -> str:
        match = _TOKEN.match(self.text, self.at)
        return match[0].strip() if match else ""

    def take(self, expected: str | None = None) -> str:
        match = _TOKEN.match(self.text, self.at)
        if match is None or (expected is not None and match[0].strip() != expected):
            raise self.fail(f"'{expected or 'something'}' expected")
        self.at = match.end()
        return match[0].strip()

    def end(self) -> None:
        if self.text[self.at :].strip():
            raise self.fail("nothing more expected")

    def sum(self) -> None:
        self.product()
        while self.peek() in ("+", "-"):
            self.take()
            self.product()

    def product(self) -> None:
        self.factor()
        while self.peek() in ("*", "/"):
            self.take()
            self.factor()

    def factor(self) -> None:
        token = self.take()
        if token == "(":  # noqa: S105 - a parenthesis
            self.sum()
            self.take(")")
        elif token in FUNCTIONS:
            self.take("(")
            self.sum()
            self.take(")")
        elif not token.replace(".", "", 1).isdigit():
            self.metric(token)

    def metric(self, aggregator: str) -> None:
        self.take(":")
        name = self.take()
        metric = _BY_NAME.get(name)
        if metric is None:
            raise self.fail(f"'{name}' is not in the metric catalogue")
        fits = _DISTRIBUTION if metric.kind is MetricKind.DISTRIBUTION else _COUNT
        if fits.fullmatch(aggregator) is None:
            raise self.fail(f"a {metric.kind.value} has no '{aggregator}'")
        tags = set(_filter_tags(self.braces()))
        if self.text.startswith(" by {", self.at):
            self.at += len(" by ")
            tags |= {tag.strip() for tag in self.braces().split(",")}
        unknown = tags - set(metric.tags) - CONSTANT_TAGS
        if unknown:
            raise self.fail(f"{name} has no tag {', '.join(sorted(unknown))}")
        self.modifiers()
        self.used.append(Used(metric, frozenset(tags)))

    def braces(self) -> str:
        end = self.text.find("}", self.at)
        if not self.text.startswith("{", self.at) or end < 0:
            raise self.fail("'{...}' expected")
        inside = self.text[self.at + 1 : end]
        self.at = end + 1
        return inside

    def modifiers(self) -> None:
        pattern = re.compile(r"\.as_count\(\)|\.rollup\((avg|sum|min|max)?(, )?\d*\)")
        while match := pattern.match(self.text, self.at):
            self.at = match.end()


def _filter_tags(text: str) -> Iterator[str]:
    """Tags of a filter; raises on anything that is not one."""
    if text == "*":
        return
    bare = text.replace("(", " ").replace(")", " ")
    if text.count("(") != text.count(")"):
        raise ValueError(f"parentheses do not match: {text}")
    expecting = True
    for word in bare.replace(",", " AND ").split():
        if word in ("AND", "OR"):
            if expecting:
                raise ValueError(f"'{word}' stands alone: {text}")
            expecting = True
        elif word == "NOT":
            continue
        else:
            match = _FILTER_TERM.fullmatch(word)
            if match is None or not expecting:
                raise ValueError(f"not a filter: {text}")
            if match["tag"]:
                yield match["tag"]
            expecting = False
    if expecting:
        raise ValueError(f"the filter breaks off: {text}")
