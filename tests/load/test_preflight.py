"""Before the first request: what is refused, and in which words."""

from decimal import Decimal

import pytest

from harness.errors import TargetError, UsageError
from harness.load import preflight
from harness.load.plan import header_values, header_variables
from harness.load.runrecord import begin_record
from harness.load.scenario.shipped import scenario_of
from harness.records import BaselineConfig, ProviderMode
from tests.load.asking import case_of, plan_for, shipped
from tests.load.target import running_target

BASELINE = scenario_of("baseline")


def warm_up(target):
    plan = plan_for(target.url, scenario="baseline")
    exchange = shipped("baseline", target.url)
    return preflight.warm_up(plan, exchange, exchange.bound.parcel(case_of(brief="x")))


def test_another_machine_must_be_meant():
    with pytest.raises(TargetError, match="another machine"):
        preflight.check_permission("https://staging.example", allowed=False)
    preflight.check_permission("https://staging.example", allowed=True)
    for local in ("http://127.0.0.1:1", "http://localhost", "http://[::1]:2", "http://127.8.9.1"):
        preflight.check_permission(local, allowed=False)


@pytest.mark.parametrize(
    "target", ["", "ftp://127.0.0.1", "http://", "127.0.0.1:3101", "http://127.0.0.1.evil.example"]
)
def test_what_is_not_a_loopback_url_is_refused(target):
    with pytest.raises(TargetError):
        preflight.check_permission(target, allowed=False)


def test_health_is_read():
    with running_target() as target:
        health = preflight.check_health(target.url, {})
    assert health.provider == "anthropic"
    assert health.provider_mode is ProviderMode.EMULATED
    assert health.repair_provider is None
    assert preflight.spend_ceiling_usd(300, health) == Decimal(300)
    assert preflight.spend_ceiling_usd(300, preflight.NO_HEALTH) is None


def test_target_that_is_not_there():
    with running_target() as target:
        url = target.url
    with pytest.raises(TargetError, match=r"healthz does not answer"):
        preflight.check_health(url, {})


@pytest.mark.parametrize("role", ["provider", "repair_provider"])
def test_fixtures_at_either_role_are_refused(role):
    names = {"provider": "anthropic", "repair_provider": "openai", role: "fixtures"}
    health = preflight.Health(**names, provider_mode=None, environment=None, cost_max_usd=None)
    with pytest.raises(TargetError, match="fixtures"):
        preflight.refuse_fixtures(health, None, allowed=False)
    preflight.refuse_fixtures(health, None, allowed=True)


def test_fixtures_told_by_the_warm_up_are_refused():
    with running_target() as target:
        target.extra_headers = {
            "X-Assist-Telemetry": '{"request_id": "r-warmup", "draft_source": "fixtures"}'
        }
        warm = warm_up(target)
    with pytest.raises(TargetError, match="fixtures"):
        preflight.refuse_fixtures(preflight.NO_HEALTH, warm, allowed=False)


def test_missing_telemetry_is_foretold():
    with running_target() as target:
        warm = warm_up(target)
    sentences = preflight.empty_columns(warm, BASELINE)
    assert any("X-Assist-Telemetry" in sentence for sentence in sentences)
    assert any("Server-Timing" in sentence for sentence in sentences)


@pytest.mark.parametrize("status", [400, 401, 404])
def test_target_that_refuses_the_request_is_refused_with_its_own_words(status):
    with running_target() as target:
        target.status = status
        target.payload = {"message": "not you"}
        warm = warm_up(target)
    with pytest.raises(TargetError, match=f"{status}.*not you"):
        preflight.check_warm_up(warm)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failure_of_the_warm_up_is_a_remark(status):
    with running_target() as target:
        target.status = status
        warm = warm_up(target)
    assert str(status) in preflight.check_warm_up(warm)
    assert preflight.empty_columns(warm, BASELINE) == []


def test_header_values_come_from_the_environment_only():
    variables = header_variables(["Authorization: env:STAGING_TOKEN"])
    assert variables == {"Authorization": "STAGING_TOKEN"}
    assert header_values(variables, {"STAGING_TOKEN": "Bearer x"}) == {"Authorization": "Bearer x"}
    record = begin_record(
        plan_for("http://user:secret@127.0.0.1", header_env=variables), owner="o", config=BaselineConfig()
    )
    assert "secret" not in str(record)
    assert record.config["load"]["header_env"] == variables


@pytest.mark.parametrize(
    "text", ["Authorization: Bearer x", "Authorization", ": env:A", "A B: env:X", "A: env:"]
)
def test_written_out_header_values_are_refused(text):
    with pytest.raises(UsageError, match="env:VARIABLE"):
        header_variables([text])


@pytest.mark.parametrize("value", ["", "a\r\nb", "ü"])
def test_header_values_that_cannot_be_sent(value):
    with pytest.raises(UsageError):
        header_values({"A": "V"}, {"V": value})


def test_schedule_of_a_plan():
    assert len(plan_for("t").schedule_ns()) == 300
    assert len(plan_for("t", rps=10, duration_s=3, max_requests=7).schedule_ns()) == 7
    assert plan_for("t", shape="replay", replay_ms=(5, 2)).schedule_ns() == [0, 3_000_000]
    assert plan_for("t", users=3).schedule_ns() == []
    assert (
        len(plan_for("t", shape="steps", rps=1, peak_rps=3, duration_s=30, step_count=3).schedule_ns()) == 60
    )
    with pytest.raises(UsageError):
        plan_for("t", rps=0).schedule_ns()
    with pytest.raises(UsageError, match="no arrivals 'zigzag'"):
        plan_for("t", shape="zigzag").schedule_ns()
