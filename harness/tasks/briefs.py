"""Cases, and how the rows of a data set become them: decision briefs with labels, or columns of one's own."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs import parse_json, read_text
from harness.tasks.base import Labels

MAX_LINE_CHARS = 100_000
_TAG_CHARS = 200
MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefCase:
    """One labelled case.

    Attributes:
        case_id: unique within its file; made from the content where the file names none.
        body: the request body that puts the case to the service.
        labels: what a good answer must hold; None for a case without labels.
        archetype: the sort of decision (`pricing`, `hiring`), where the file says it.
        industry: where it arises, likewise.
        language: BCP 47 tag.
        expected: what graders of a suite compare with, by grader name; no model is shown it.
        columns: everything that the file says of the case, as written there.
        where: the file and line it stands in.
    """

    case_id: str
    body: Mapping[str, Any] = field(hash=False)
    labels: Labels | None = None
    archetype: str | None = None
    industry: str | None = None
    language: str = "en"
    expected: Mapping[str, Any] = field(default_factory=dict, hash=False)
    columns: Mapping[str, Any] = field(default_factory=dict, hash=False)
    where: str = field(default="", compare=False)

    @property
    def brief(self) -> str:
        """The brief, or the goal of a task that has no brief."""
        return str(self.body.get("brief") or self.body.get("goal") or "")

    @property
    def plain_columns(self) -> dict[str, str]:
        """The columns that are short texts: what a strategy's rules may look at as tags."""
        told = self.columns.items()
        return {name: value for name, value in told if isinstance(value, str) and len(value) <= _TAG_CHARS}


OWN_KEYS = ("case_id", "archetype", "industry", "language", "options", "figures", "expected")


def load_cases(path: Path) -> tuple[BriefCase, ...]:
    """Every case of a JSONL file, in file order.

    A line's own keys (`case_id, archetype, industry, language, options, figures, expected`; none is required)
    describe the case; all its other keys (`brief`; `goal`, `constraints`) are the request body.

    Raises:
        ConfigError: names the file and line of the first fault, or the file when it is missing or empty.
    """
    return checked_cases(str(path), jsonl_rows(path))


def jsonl_rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Where each line that is not blank stands, and its fields.

    Raises:
        ConfigError: an unreadable file, or a line that is no JSON object; names it.
    """
    lines = read_text(path, MOST_BYTES).split("\n")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _fields(where, line)


def checked_cases(source: str, rows: Iterable[tuple[str, Any]]) -> tuple[BriefCase, ...]:
    """The cases of a data set, whatever format it was written in; ids are unique.

    Args:
        source: what messages call the whole.
        rows: where each case stands, and its fields.

    Raises:
        ConfigError: names the place of the first fault, or the source when it holds no case.
    """
    return _distinct(source, (_case(where, fields) for where, fields in rows))


def plain_cases(source: str, rows: Iterable[tuple[str, Any]]) -> tuple[BriefCase, ...]:
    """The cases of a data set whose columns mean what its owner says: none is special but `case_id`.

    Args:
        source: what messages call the whole.
        rows: where each case stands, and its fields.

    Raises:
        ConfigError: as `checked_cases`.
    """
    return _distinct(source, (_plain_case(where, fields) for where, fields in rows))


def _distinct(source: str, cases: Iterable[BriefCase]) -> tuple[BriefCase, ...]:
    """Every case under an id of its own; ids made from equal contents are numbered."""
    kept: list[BriefCase] = []
    places: dict[str, str] = {}
    for case in cases:
        found, again = case, 1
        while "case_id" not in case.columns and found.case_id in places:
            again += 1
            found = replace(case, case_id=f"{case.case_id}-{again}")
        if found.case_id in places:
            raise ConfigError(
                case.where, f"case_id '{found.case_id}' stands there twice (first at {places[found.case_id]})"
            )
        places[found.case_id] = found.where
        kept.append(found)
    if not kept:
        raise ConfigError(source, "holds no case")
    return tuple(kept)


def _case_id(where: str, fields: Mapping[str, Any]) -> str:
    """The case's own id, or one made from what it says."""
    given = fields.get("case_id")
    if given is None and "case_id" not in fields:
        said = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)
        return f"case-{sha256(said.encode('utf-8', 'replace')).hexdigest()[:12]}"
    if not isinstance(given, str) or not given.strip():
        raise ConfigError(where, "case_id must be text")
    return given


def _plain_case(where: str, fields: Any) -> BriefCase:
    if not isinstance(fields, dict):
        raise ConfigError(where, "is not a case with named fields")
    expected, number = fields.get("expected"), fields.get("case_id")
    if isinstance(number, int) and not isinstance(number, bool):
        fields = {**fields, "case_id": str(number)}
    return BriefCase(
        case_id=_case_id(where, fields),
        body=fields,
        expected=expected if isinstance(expected, dict) else {},
        columns=fields,
        where=where,
    )


def _fields(where: str, line: str) -> Any:
    if len(line) > MAX_LINE_CHARS:
        raise ConfigError(where, f"the line is longer than {MAX_LINE_CHARS} characters")
    fields = parse_json(line.encode(), where)
    if not isinstance(fields, dict):
        raise ConfigError(where, "is not a JSON object")
    return fields


def _case(where: str, fields: Any) -> BriefCase:
    if not isinstance(fields, dict):
        raise ConfigError(where, "is not a case with named fields")
    for name in ("archetype", "industry"):
        told = fields.get(name)
        if told is not None and (not isinstance(told, str) or not told.strip()):
            raise ConfigError(where, f"{name} must be text")
    if not isinstance(fields.get("expected", {}), dict):
        raise ConfigError(where, "expected must be an object of values by grader name")
    language = fields.get("language", "en")
    if not isinstance(language, str) or not language.strip():
        raise ConfigError(where, "language must be text")
    labelled = "options" in fields or "figures" in fields
    return BriefCase(
        case_id=_case_id(where, fields),
        archetype=fields.get("archetype"),
        industry=fields.get("industry"),
        language=language,
        body={name: value for name, value in fields.items() if name not in OWN_KEYS},
        labels=Labels(options=_texts(where, fields, "options"), figures=_texts(where, fields, "figures"))
        if labelled
        else None,
        expected=fields.get("expected", {}),
        columns=fields,
        where=where,
    )


def _texts(where: str, fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    items = fields.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
        raise ConfigError(where, f"{name} must be a list of texts")
    return tuple(items)


def case_for(cases: Sequence[BriefCase], seq: int, *, seed: int = 0) -> BriefCase:
    """The case of the n-th request of a load run: every case once a round, each round in an order of its own.

    Whoever asks for many takes `round_order` once a round.

    Raises:
        ValueError: no cases, or a negative seq.
    """
    if not cases or seq < 0:
        raise ValueError("a case needs at least one to choose from and seq >= 0")
    lap, place = divmod(seq, len(cases))
    return cases[round_order([case.case_id for case in cases], lap, seed=seed)[place]]


def round_order(case_ids: Sequence[str], lap: int, *, seed: int = 0) -> list[int]:
    """Places of all cases in the order of one round.

    Depends on (seed, round, case ids) only, so that workers agree without talking and a re-run repeats.
    """
    ranks = [sha256(f"{seed}:{lap}:{case_id}".encode()).digest() for case_id in case_ids]
    return sorted(range(len(ranks)), key=ranks.__getitem__)
