"""The baseline, streamed: golden briefs to `POST /assist/draft-graph` as server-sent events.

locust -f scenarios/stream.py --host http://127.0.0.1:3101 --headless
"""

from locust import events

from harness.load.locust_side import OpenLoopUser, attach

attach(events, "stream")


class Stream(OpenLoopUser):
    """One is enough: the schedule, not the number of users, decides the rate."""
