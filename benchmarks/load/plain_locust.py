"""The peer: Locust's own FastHttpUser, as its documentation writes it."""

import os

import gevent
from locust import FastHttpUser, constant, events, task

LIMIT = int(os.environ["BENCH_REQUESTS"])
BODY = {"brief": "x" * 300}
_sent = 0


class Plain(FastHttpUser):
    """One of 64 users without a pause."""

    wait_time = constant(0)

    @task
    def ask(self):
        """One request, until the limit is reached."""
        global _sent  # noqa: PLW0603 - the simplest shared counter
        if _sent >= LIMIT:
            gevent.sleep(3600)
        _sent += 1
        self.client.post("/assist/draft-graph", json=BODY)
        if self.environment.stats.total.num_requests == LIMIT:
            gevent.spawn(self.environment.runner.quit)


@events.quitting.add_listener
def say(environment, **_):
    print(f"BENCH {environment.stats.total.num_requests} {environment.stats.total.num_failures}", flush=True)
