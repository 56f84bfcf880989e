"""The command line, run in this process."""

import pytest

from harness.cli.app import main


@pytest.fixture
def run_harness(monkeypatch, capfdbinary):
    """Run `harness ARGS`; gives (exit code, standard output, standard error) as text."""

    def run(*args):
        monkeypatch.setattr("sys.argv", ["harness", *map(str, args)])
        monkeypatch.setenv("COLUMNS", "200")
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        streams = capfdbinary.readouterr()
        return code, streams.out.decode(), streams.err.decode()

    return run
