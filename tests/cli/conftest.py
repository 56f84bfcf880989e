"""The command line, run in this process."""

import sys

import pytest

from harness.cli.app import main


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path):
    """Runs `harness ARGUMENTS` in an empty folder; returns exit code, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
