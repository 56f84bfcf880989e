import os
import subprocess
import sys

import harness


def test_public_names_are_these() -> None:
    named = {"Store", "__version__", "baseline", "evaluate", "figures", "gate", "open_store"}
    assert set(harness.__all__) == named
    assert all(hasattr(harness, name) for name in harness.__all__)


def test_a_function_wins_over_the_room_of_its_name() -> None:
    from harness.gate import evaluate_gate  # noqa: PLC0415

    assert callable(evaluate_gate)
    assert callable(harness.gate)
    assert callable(harness.figures)


def test_importing_the_package_loads_no_heavy_library_and_reads_no_setting() -> None:
    heavy = ["duckdb", "pandas", "anthropic", "openai", "locust", "streamlit", "plotly", "scipy", "gevent"]
    code = (
        "import sys, os\n"
        "class Watch(dict):\n"
        "    def __getattribute__(self, name): raise AssertionError(f'environment read: {name}')\n"
        "real, os.environ = os.environ, Watch()\n"
        "import harness\n"
        "os.environ = real\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.stdout.strip() == "[]"
