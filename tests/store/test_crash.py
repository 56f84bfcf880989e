"""A small crash campaign: the large one is `make prove`'s."""

import json
import subprocess
import sys


def test_nothing_is_lost_under_kill_minus_nine() -> None:
    command = [sys.executable, "-m", "tests.campaigns.campaign_crash", "--kills", "20", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    outcome = json.loads(done.stdout)
    assert outcome["holds"], (outcome, done.stderr[-3000:])
    assert outcome["kills"] >= 20
