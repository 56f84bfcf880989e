"""The baseline: golden briefs to `POST /assist/draft-graph`, answered as JSON.

    locust -f scenarios/baseline.py --host http://127.0.0.1:3101 --headless --rps 2 --duration 60

`harness baseline` runs this file too; without `--headless` Locust's web UI asks for rate and duration.
"""

from locust import events

from harness.load.locust_side import OpenLoopUser, attach

attach(events, "baseline")


class Baseline(OpenLoopUser):
    """One is enough: the schedule, not the number of users, decides the rate."""
