"""Labelled cases, and how a JSONL file holds them: briefs with what a good answer must contain."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.inputs import parse_json, read_text
from harness.tasks.base import Labels

MAX_LINE_CHARS = 100_000
_MOST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefCase:
    """One labelled case.

    Attributes:
        case_id: unique within its file.
        archetype: the sort of decision (`pricing`, `hiring`).
        industry: where it arises.
        body: the request body that puts the case to the service.
        labels: what a good answer must hold; None for a case without labels.
        language: BCP 47 tag.
        expected: what graders of a suite compare with, by grader name; no model is shown it.
    """

    case_id: str
    archetype: str
    industry: str
    body: Mapping[str, Any] = field(hash=False)
    labels: Labels | None
    language: str = "en"
    expected: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def brief(self) -> str:
        """The brief, or the goal of a task that has no brief."""
        return str(self.body.get("brief") or self.body.get("goal") or "")


_OWN_KEYS = ("case_id", "archetype", "industry", "language", "options", "figures", "expected")


def load_cases(path: Path) -> tuple[BriefCase, ...]:
    """Every case of a JSONL file, in file order.

    A line's own keys (`case_id, archetype, industry, language, options, figures, expected`) describe the
    case; all its other keys (`brief`; `goal`, `constraints`) are the request body.

    Raises:
        ConfigError: names the file and line of the first fault, or the file when it is missing or empty.
    """
    lines = read_text(path, _MOST_BYTES).split("\n")
    places = ((f"{path}:{number}", line) for number, line in enumerate(lines, start=1) if line.strip())
    return checked_cases(str(path), ((where, _fields(where, line)) for where, line in places))


def checked_cases(source: str, rows: Iterable[tuple[str, Any]]) -> tuple[BriefCase, ...]:
    """The cases of a data set, whatever format it was written in; ids are unique.

    Args:
        source: what messages call the whole.
        rows: where each case stands, and its fields.

    Raises:
        ConfigError: names the place of the first fault, or the source when it holds no case.
    """
    cases = [_case(where, fields) for where, fields in rows]
    if not cases:
        raise ConfigError(source, "holds no case")
    seen: set[str] = set()
    for case in cases:
        if case.case_id in seen:
            raise ConfigError(source, f"case_id '{case.case_id}' stands there twice")
        seen.add(case.case_id)
    return tuple(cases)


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
    for name in ("case_id", "archetype", "industry"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise ConfigError(where, f"{name} must be text")
    if not isinstance(fields.get("expected", {}), dict):
        raise ConfigError(where, "expected must be an object of values by grader name")
    language = fields.get("language", "en")
    if not isinstance(language, str) or not language.strip():
        raise ConfigError(where, "language must be text")
    labelled = "options" in fields or "figures" in fields
    return BriefCase(
        case_id=fields["case_id"],
        archetype=fields["archetype"],
        industry=fields["industry"],
        language=language,
        body={name: value for name, value in fields.items() if name not in _OWN_KEYS},
        labels=Labels(options=_texts(where, fields, "options"), figures=_texts(where, fields, "figures"))
        if labelled
        else None,
        expected=fields.get("expected", {}),
    )


def _texts(where: str, fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    items = fields.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, str) and item.strip() for item in items):
        raise ConfigError(where, f"{name} must be a list of texts")
    return tuple(items)


def case_for(cases: Sequence[BriefCase], seq: int, *, seed: int = 0) -> BriefCase:
    """The case of the n-th request of a load run: every case once a round, each round in an order of its own.

    Depends on (seed, round, case ids) only, so that workers agree without talking and a re-run repeats.

    Raises:
        ValueError: no cases, or a negative seq.
    """
    if not cases or seq < 0:
        raise ValueError("a case needs at least one to choose from and seq >= 0")
    lap, place = divmod(seq, len(cases))
    order = sorted(range(len(cases)), key=lambda index: _rank(seed, lap, cases[index].case_id))
    return cases[order[place]]


def _rank(seed: int, lap: int, case_id: str) -> bytes:
    return sha256(f"{seed}:{lap}:{case_id}".encode()).digest()
