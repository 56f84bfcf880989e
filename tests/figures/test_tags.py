"""Tags as filters and groups, on every surface, by names that are only names."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from harness.alerts import Rule, evaluate
from harness.alerts.datadog_monitors import monitor
from harness.cli.alerts import app as alerts_app
from harness.cli.compare import app as compare_app
from harness.cli.gate import app as gate_app
from harness.cli.runs.show import app as show_app
from harness.errors import UsageError
from harness.figures import Rows, Selection, measure
from harness.figures.grouping import group_sql
from harness.figures.tags import known_tags, require_tags, tag_filters, tag_values
from harness.gate.config import load_gate_config
from harness.records import Request, RequestStatus, RunEnd, RunStatus
from harness.store import Spool, open_store
from tests.store.samples import T0, a_request, a_run

RUNNER = CliRunner()
PLANS = ("free", "free", "pro")
NAMES = ["Plan", "plan'", "plan') OR TRUE --", "a.b", "", "x" * 65, "plan\x00", "日本"]


def tagged(number: int) -> Request:
    plan = PLANS[number % 3]
    failed = number % 30 == 29
    return a_request(
        number,
        scheduled_at=T0 + timedelta(seconds=number),
        latency_ms=1000.0 if plan == "pro" else 100.0,
        status=RequestStatus.ERROR if failed else RequestStatus.OK,
        environment="production",
        tags=None if number % 10 == 0 else {"plan": plan, "tenant": f"t{number % 20}"},
    )


ROWS = [tagged(number) for number in range(120)]
OF_PLAN = Counter((row.tags or {}).get("plan", "none") for row in ROWS)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tags")
    with Spool.open(folder) as spool:
        end = RunEnd(run_id="run-1", ended_at=T0 + timedelta(seconds=120), status=RunStatus.COMPLETED)
        spool.append_many([a_run(), *ROWS, end]).result()
    return folder


@pytest.fixture(scope="module")
def view(store):
    with open_store(store).snapshot() as view:
        yield view


def run(app, *arguments):
    return RUNNER.invoke(app, [str(argument) for argument in arguments])


def test_groups_and_filters_count_what_the_rows_say(view):
    found = measure(Rows(view, Selection()), by="tag.plan")
    assert {group: figures["error_ratio"].n for group, figures in found.items()} == OF_PLAN
    assert found["pro"]["p95_latency"].value is None  # a twentieth of them failed: it is a failure's
    for chosen, n in (
        ((("plan", "pro"),), OF_PLAN["pro"]),
        ((("plan", "pro"), ("plan", "free")), OF_PLAN["pro"] + OF_PLAN["free"]),
        ((("plan", "pro"), ("tenant", "t5")), sum(r.tags == {"plan": "pro", "tenant": "t5"} for r in ROWS)),
        ((("plan", "' OR TRUE --"),), 0),
        ((("region", "eu"),), 0),
    ):
        assert Rows(view, Selection(tags=chosen)).n == n


def test_what_there_is_is_known_and_said(view):
    rows = Rows(view, Selection())
    assert known_tags(rows) == ("plan", "tenant")
    assert tag_values(rows, "plan") == {name: OF_PLAN[name] for name in ("free", "pro")}
    with pytest.raises(UsageError, match="no request here has a tag 'plam'; there is plan, tenant"):
        require_tags(rows, ["plam"])
    with pytest.raises(UsageError, match="no request here has plan 'gold'; there is free, pro"):
        require_tags(rows, (), [("plan", "gold")])
    with pytest.raises(UsageError, match=r"no request here has tenant 'x'; there is .* and 10 more"):
        require_tags(rows, (), [("tenant", "x")])
    with pytest.raises(UsageError, match="no request here has a tag 'plan'; none has any"):
        require_tags(Rows(view, Selection(cases=("none",))), ["plan"])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_but_a_name_reaches_sql(store, view, name):
    sentence = "cannot name a tag"
    with pytest.raises(UsageError, match=sentence):
        group_sql(f"tag.{name}")
    with pytest.raises(UsageError, match=sentence):
        tag_filters([f"{name}=x"])
    with pytest.raises(ValueError, match=sentence):
        Rows(view, Selection(tags=((name, "x"),))).n  # noqa: B018 - the count is what reads
    for rule in ({"group_by": f"tag.{name}"}, {"scope": {"tags": {name: "x"}}}):
        with pytest.raises(ValueError, match=sentence):
            Rule.model_validate(RULE | rule)
    if "\x00" not in name:
        answer = run(show_app, "latest", "--by", f"tag.{name}", "--store", store)
        assert isinstance(answer.exception, UsageError)


def test_a_run_is_shown_by_tag_and_of_a_tag(store):
    shown = json.loads(run(show_app, "--by", "tag.plan", "--store", store, "--json").stdout)
    assert list(shown["groups"]) == [name for name, _ in OF_PLAN.most_common()]
    alone = json.loads(run(show_app, "--tag", "plan=pro", "--store", store, "--json").stdout)
    assert alone["groups"]["all"]["error_ratio"]["n"] == OF_PLAN["pro"]
    printed = run(show_app, "--tag", "plan=pro", "--by", "tag.tenant", "--store", store).stdout
    assert "nightly (plan=pro)" in printed
    for arguments, problem in (
        (("--by", "tag.plam"), "no request here has a tag 'plam'; there is plan, tenant"),
        (("--by", "plan"), "cannot group by 'plan'; .*tag.NAME"),
        (("--tag", "plan"), "write a tag as NAME=VALUE"),
        (("--tag", "plan=gold"), "no request here has plan 'gold'"),
    ):
        with pytest.raises(UsageError, match=problem):
            raise run(show_app, *arguments, "--store", store).exception


def test_gate_and_compare_look_at_a_part_and_say_so(store, tmp_path):
    judged = run(gate_app, "run-1", "--tag", "plan=free", "--max-p95", "500ms", "--store", store, "--json")
    report = json.loads(judged.stdout)
    assert report["tags"] == "plan=free"
    assert ", plan=free alone" in report["headline"]
    checks = {check["name"]: check for check in report["checks"]}
    assert (checks["requests"]["n"], checks["p95_latency"]["value"]) == (OF_PLAN["free"], 100.0)
    with open_store(store).snapshot() as view:
        assert view.gate_results("run-1") == []  # a verdict on a part is not the run's
    document = json.loads(
        run(compare_app, "run-1", "run-1", "--tag", "plan=pro", "--store", store, "--json").stdout
    )
    assert document["a"]["tags"] == document["b"]["tags"] == "plan=pro"
    slow = next(row for row in document["differences"] if row["name"] == "p50_latency")
    assert (slow["a"], slow["difference"]) == (1000.0, 0.0)
    for text in ("tag: [plan]", "tag: ['Plan=x']", "tag: {plan: pro}"):
        (tmp_path / "gate.yaml").write_text(text)
        with pytest.raises(UsageError, match="tag"):
            load_gate_config(None, tmp_path)
    (tmp_path / "gate.yaml").write_text("tag: [plan=pro]")
    assert load_gate_config(None, tmp_path).tag == ["plan=pro"]


RULE = {
    "name": "slow_plan", "title": "Slow", "metric": "latency_ms", "aggregation": "p50", "window": "1h",
    "threshold": 500, "severity": "warning",
}  # fmt: skip
SCOPE = {"run_kinds": ["baseline"]}


def test_alerts_group_and_filter_by_tag(store, view):
    at = T0 + timedelta(seconds=130)
    grouped = Rule.model_validate(RULE | {"group_by": "tag.plan", "scope": SCOPE})
    found = {
        state.group: (state.state.value, state.value, state.n) for state in evaluate(view, [grouped], at)
    }
    assert found["pro"] == ("firing", 1000.0, OF_PLAN["pro"])
    assert found["free"] == ("ok", 100.0, OF_PLAN["free"])
    assert found[None][2] == OF_PLAN["none"]
    (one,) = evaluate(view, [Rule.model_validate(RULE | {"scope": SCOPE | {"tags": {"plan": "pro"}}})], at)
    assert (one.group, one.state.value, one.n) == (None, "firing", OF_PLAN["pro"])


def test_a_rule_about_a_tag_that_nobody_has_is_told(store, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text(json.dumps({"rules": [RULE | {"group_by": "tag.plam"}]}))
    answer = run(alerts_app, "check", "--rules", rules, "--store", store, "--dry-run", "--json")
    assert json.loads(answer.stdout)["remarks"] == [
        "rule 'slow_plan': no request of the store has a tag 'plam'"
    ]
    assert "note: rule 'slow_plan': no request of the store has a tag 'plam'" in answer.stderr


def test_datadog_is_not_asked_for_tags_that_it_does_not_get():
    rule = Rule.model_validate(RULE | {"group_by": "tag.plan", "aggregation": "p95"})
    with pytest.raises(ValueError, match="the metrics carry none of your tags"):
        monitor(rule)
