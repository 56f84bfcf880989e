"""A scenario file of your own: `HARNESS_SCENARIO=mine.yaml locust -f scenarios/own.py --host URL --headless`.

`harness baseline --scenario mine.yaml` runs this file too.
"""

from locust import events

from harness.load.locust_side import OpenLoopUser, attach

attach(events)


class OwnLoad(OpenLoopUser):
    """One is enough: the schedule, not the number of users, decides the rate."""
