"""The row of a load run, as it starts."""

from pathlib import Path

from harness.addresses import shown
from harness.clock import SYSTEM_CLOCK
from harness.load.plan import LoadPlan
from harness.processes.checkout import git_sha
from harness.records import BaselineConfig, LoadSettings, Run, RunKind
from harness.version import __version__


def begin_record(plan: LoadPlan, *, owner: str, config: BaselineConfig) -> Run:
    """The run's row; its configuration names protected headers, never their values."""
    settings = plan.model_dump(mode="json", exclude={"store_dir", "run_id", "name", "replay_ms"})
    settings["target"] = shown(plan.target)
    whole = config.model_copy(update={"load": LoadSettings.read(settings)})
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
        config=whole.as_json(),
    )
