"""The row of a load run, as it starts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.addresses import shown
from harness.clock import SYSTEM_CLOCK
from harness.load.plan import LoadPlan
from harness.processes.checkout import git_sha
from harness.records import Run, RunKind
from harness.version import __version__


def begin_record(plan: LoadPlan, *, owner: str, config: Mapping[str, Any]) -> Run:
    """The run's row; its configuration names protected headers, never their values."""
    settings = plan.model_dump(mode="json", exclude={"store_dir", "run_id", "name", "replay_ms"})
    settings["target"] = shown(plan.target)
    return Run(
        run_id=plan.run_id,
        kind=RunKind.BASELINE,
        name=plan.name,
        started_at=SYSTEM_CLOCK.now(),
        environment=plan.environment,
        target=shown(plan.target),
        git_sha=git_sha(Path.cwd()),
        harness_version=__version__,
        owner=owner,
        config={"load": settings, **config},
    )
