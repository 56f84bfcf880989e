"""One request of a scenario, asked of a target of our own."""

import os

from harness.load.binding import exchange_of
from harness.load.plan import LoadPlan
from harness.load.preflight import PlainSender
from harness.load.scenario.reader import read_scenario
from harness.tasks.briefs import BriefCase


def plan_for(target="http://127.0.0.1:9", **fields):
    return LoadPlan(**{"run_id": "r", "name": "n", "target": target, "store_dir": "s", **fields})


def case_of(**columns):
    return BriefCase(case_id="case", body={}, columns=columns, where="cases.jsonl:1")


def shipped(name, target="http://127.0.0.1:9", *, model=None, env=None):
    """A scenario that ships, bound to a target."""
    return exchange_of(plan_for(target, scenario=name, model=model), {} if env is None else env)


def written(folder, text, target="http://127.0.0.1:9", *, env=None, name="own.yaml", **fields):
    """A scenario of one's own, bound to a target."""
    path = folder / name
    path.write_text(text)
    plan = plan_for(target, scenario=str(path), **fields)
    return exchange_of(plan, os.environ if env is None else env, read_scenario(path))


def ask_once(exchange, target, case=None, request_id="r-1"):
    """The answer to one request, over real HTTP."""
    sender = PlainSender(target, timeout_s=5)
    answer = exchange.perform(sender, request_id, exchange.bound.parcel(case or case_of(brief="x")))
    sender.close()
    return answer
