"""The built wheel, installed elsewhere, does the main job from an empty directory."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=env,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed wheel; its dependencies are this environment's."""
    place = tmp_path_factory.mktemp("wheel")
    run("-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=ROOT)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_the_wheel_carries_dashboard_scenarios_and_data(installed: Path) -> None:
    bundle = installed / "harness" / "_bundled"
    for part in ("scenarios/baseline.py", "scenarios/briefs/golden.jsonl"):
        assert (bundle / part).is_file(), part


def test_the_demo_runs_from_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed)}
    where = run("-c", "import harness; print(harness.__file__)", cwd=tmp_path, env=env)
    assert where.stdout.startswith(str(installed))
    run("-m", "harness", "demo", "--requests", "20", "--rps", "20", cwd=tmp_path, env=env)
    shown = run("-m", "harness", "runs", "show", "--json", cwd=tmp_path, env=env)
    assert json.loads(shown.stdout)["ok"] == 20
