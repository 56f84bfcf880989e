"""Writes a first scenario file: from a curl command, and from what its answer holds."""

import os
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from harness.addresses import shown
from harness.errors import ConfigError, TargetError
from harness.load.plan import LoadPlan
from harness.load.probing import heard
from harness.load.scenario.curl import FirstDraft, draft_of
from harness.load.scenario.reader import read_scenario
from harness.load.scenario.recognise import recognised
from harness.outputs import replace_file


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFile:
    """What was written. Attributes: what was recognised, as words; variables that a run needs."""

    found: str
    variables: tuple[str, ...]


def write_first_file(curl: str, path: Path, *, send: bool) -> FirstFile:
    """Write what a curl command sends as a scenario.

    Args:
        curl: the command.
        path: written whole or not at all; a file that is there stays as it is.
        send: send it once, and write where in its answer the usual things stand.

    Raises:
        UsageError: no curl command, or one that no scenario can send.
        ConfigError: the file is there already.
        TargetError: nothing answers, or with a failure.
    """
    if path.exists():
        raise ConfigError(str(path), "is there already; name another file with --out")
    draft = draft_of(curl)
    replace_file(path, draft.text({}).encode())
    try:
        scenario = read_scenario(path)
        more = _recognised(draft, path) if send else {}
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if more:
        replace_file(path, draft.text(more).encode())
        scenario = read_scenario(path)
    texts = [text for step in scenario.steps for _, text in (*step.headers, *step.query)]
    variables = tuple(dict.fromkeys(name for text in texts for name in text.variables))
    return FirstFile(found=_as_words(more), variables=variables)


def _recognised(draft: FirstDraft, path: Path) -> dict[str, Any]:
    scenario = read_scenario(path)
    target = str(draft.fields["target"])
    plan = LoadPlan(
        run_id="probe",
        name="probe",
        target=target,
        scenario=str(path),
        store_dir=Path(),
        cases_path=scenario.cases,
    )
    try:
        status, content_type, body = heard(scenario, plan, {**os.environ, **draft.secrets})
    except (OSError, HTTPException, ValueError) as error:
        raise TargetError(f"{shown(target)} does not answer ({type(error).__name__}: {error})") from error
    if not 200 <= status < 300:
        raise TargetError(f"{shown(target)} answers {status}: nothing to learn from that")
    return recognised(body, content_type)


def _as_words(more: dict[str, Any]) -> str:
    answer = more.get("answer", {})
    said = [f"{name} at {place}" if isinstance(place, str) else name for name, place in answer.items()]
    stream = more.get("stream")
    return ", ".join([*(["a stream"] if stream else []), *said])
