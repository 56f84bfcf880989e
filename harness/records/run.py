"""A run: one baseline, evaluation, service lifetime or ingested file, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.records.kinds import GateVerdict, ProviderMode, RunKind, RunStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of `runs`, written when the run starts. `config` never holds a secret.

    `owner` is the spool whose lock tells that the run's process lives.
    """

    run_id: str
    kind: RunKind
    name: str
    started_at: datetime
    status: RunStatus = RunStatus.RUNNING
    environment: str | None = None
    target: str | None = None
    provider_mode: ProviderMode | None = None
    git_sha: str | None = None
    harness_version: str | None = None
    owner: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended; ingest folds it into the run's row. None leaves the started value.

    `summary` carries what only the end knows (planned and sent counts, suspicion and its reasons) and is
    merged into `runs.config` under `summary`.
    """

    run_id: str
    ended_at: datetime
    status: RunStatus
    provider_mode: ProviderMode | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """A row of `grades`. A grader that failed gives `score` None, never 0."""

    run_id: str
    request_id: str
    grader: str
    score: float | None
    passed: bool | None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """A row of `gate_results`: one verdict and its checks."""

    run_id: str
    ts: datetime
    verdict: GateVerdict
    checks: list[Mapping[str, Any]] = field(default_factory=list)
