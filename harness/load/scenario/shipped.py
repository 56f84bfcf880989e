"""The scenarios that ship, by name, and the file that a name or a path means."""

from pathlib import Path

from harness.bundle import bundled
from harness.errors import UsageError
from harness.inputs import is_file
from harness.load.scenario.model import Scenario
from harness.load.scenario.reader import read_scenario
from harness.plugins import Plugins

DEFAULT_SCENARIO = "baseline"
_SUFFIXES = (".yaml", ".yml")


SCENARIOS: Plugins[Path | str] = Plugins("scenario", "harness.scenarios")
"""Files that installed packages offer, or this process registered."""


def shipped_scenarios() -> dict[str, Path]:
    """Name -> file of every scenario that ships."""
    return {path.stem: path for path in sorted(bundled("scenarios").glob("*.yaml"))}


def scenario_path(text: str) -> Path:
    """The file that `--scenario` means: a path, or the name of one that ships or is plugged in.

    Raises:
        UsageError: neither; names those that ship.
    """
    path = Path(text)
    if path.suffix in _SUFFIXES or is_file(path):
        if not is_file(path):
            raise UsageError(f"there is no scenario file '{text[:200]}'; {_shipped()}")
        return path
    found = shipped_scenarios().get(text)
    if found is None and text in SCENARIOS.names():
        return Path(SCENARIOS.find(text))
    if found is None:
        raise UsageError(f"no scenario '{text[:40]}'; {_shipped()}, or name a file of your own (mine.yaml)")
    return found


def scenario_of(text: str) -> Scenario:
    """The scenario of a file, or one that ships; errors as `scenario_path` and `read_scenario`."""
    return read_scenario(scenario_path(text))


def _shipped() -> str:
    return f"there are {', '.join((*shipped_scenarios(), *SCENARIOS.names()))}"
