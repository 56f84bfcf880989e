"""kill -9, Ctrl-C and lost acknowledgements while a batch is at the provider: nothing is paid twice unlisted."""

import signal
from collections import Counter

import anthropic
import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.records import RunStatus
from tests.evaluation.batching import (
    billed,
    document_of,
    harness_here,
    proxy_losing,
    recorded,
    spooled,
    started,
    wait_until,
)

OPTIONS = [
    "eval", "golden", "--cases", 4, "--strategy", "all-anthropic", "--strategy", "all-openai", "--batch",
    "--live", "--yes",
]  # fmt: skip
SLOW = 14.0
"""A batch takes a second and a half: time enough to be killed in."""


@pytest.fixture
def emulator():
    with running_emulator(EmulatorSettings(speed=SLOW, seed=7, defect_rate=0.5)) as running:
        yield running


def resumed(store, emulator_url):
    return document_of(
        harness_here("eval", "--resume", "latest", "--yes", "--store", store, "--json", base_url=emulator_url)
    )


def check_paid_once(store, emulator):
    """Each item that the emulator served is one recorded call, and both accounts come to the same."""
    rows = emulator.settled()
    _, requests, calls = recorded(store)
    assert len(requests) == 8
    assert Counter(row.call_id for row in rows).most_common(1)[0][1] == 1
    assert {row.call_id for row in rows} == {call.call_id for call in calls}
    assert sum(call.cost_usd for call in calls) == billed(rows)


def killed_at(store, emulator, batches, *options):
    """A command that was killed once so many batches were acknowledged."""
    process = started(*options, "--store", store, base_url=emulator.base_url)
    wait_until(lambda: spooled(store, "eval.batch.submitted") >= batches, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_waits_are_picked_up_and_nothing_is_paid_twice(tmp_path, emulator):
    killed_at(tmp_path, emulator, 2, *OPTIONS)
    killed_at(tmp_path, emulator, 1, "eval", "--resume", "latest", "--yes")  # in the wait for the repairs
    document = resumed(tmp_path, emulator.base_url)
    assert document["run"]["status"] == "completed"
    assert document["possibly_paid_twice"] == []
    _, _, calls = recorded(tmp_path)
    assert {call.role for call in calls} == {"draft", "repair"}
    check_paid_once(tmp_path, emulator)


def test_ctrl_c_leaves_the_batches_to_resume(tmp_path, emulator):
    process = started(*OPTIONS, "--store", tmp_path, base_url=emulator.base_url)
    wait_until(lambda: spooled(tmp_path, "eval.batch.submitted") >= 2, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "2 batches go on at their providers and are billed" in said
    assert "--resume" in said
    run, requests, _ = recorded(tmp_path)
    assert run.status is RunStatus.INTERRUPTED
    assert not requests
    document = resumed(tmp_path, emulator.base_url)
    assert document["possibly_paid_twice"] == []
    check_paid_once(tmp_path, emulator)


def test_ctrl_c_cancels_the_batches_when_asked_to_and_resume_asks_anew(tmp_path, emulator):
    process = started(*OPTIONS, "--cancel-batches", "--store", tmp_path, base_url=emulator.base_url)
    wait_until(lambda: spooled(tmp_path, "eval.batch.submitted") >= 2, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "cancelling 2 open batches" in said
    assert emulator.settled() == [], "a cancelled item was served"
    document = resumed(tmp_path, emulator.base_url)
    assert document["run"]["status"] == "completed"
    check_paid_once(tmp_path, emulator)


def test_a_batch_whose_acknowledgement_was_lost_is_listed_and_asked_again(tmp_path, emulator):
    with proxy_losing(emulator.base_url, "/v1/messages/batches") as url:
        failed = harness_here(*OPTIONS, "--store", tmp_path, base_url=url)
    assert failed.returncode == 1
    assert "not acknowledged" in failed.stderr
    assert "--resume" in failed.stderr
    with anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0) as client:
        assert len(client.messages.batches.list().data) == 1, "the provider did take it"
        document = resumed(tmp_path, emulator.base_url)
        lost = client.messages.batches.list().data[-1]
    assert (lost.processing_status, lost.request_counts.succeeded) == ("ended", 4)
    assert document["run"]["status"] == "completed"
    doubted = document["possibly_paid_twice"]
    assert {case["strategy"] for case in doubted} == {"all-anthropic"}
    assert len(doubted) == 4
    assert all(float(case["reserved_usd"]) > 0 for case in doubted)
    committed = float(document["run"]["summary"]["committed_usd"])
    _, _, calls = recorded(tmp_path)
    reserved = sum(float(case["reserved_usd"]) for case in doubted)
    assert committed == pytest.approx(float(sum(call.cost_usd for call in calls)) + reserved)
    served = Counter(row.call_id for row in emulator.settled())
    assert sum(count == 2 for count in served.values()) == len(doubted), "the lost batch was paid as well"
    paid_unseen = billed(emulator.settled()) - sum(call.cost_usd for call in calls)
    assert 0 < paid_unseen <= reserved


def test_a_batch_that_the_provider_no_longer_knows_is_listed_and_asked_again(tmp_path, emulator):
    killed_at(tmp_path, emulator, 2, *OPTIONS)
    with running_emulator(EmulatorSettings(speed=60, seed=7)) as another:
        document = resumed(tmp_path, another.base_url)
        assert len(document["possibly_paid_twice"]) == 8
        check_paid_once(tmp_path, another)


def test_a_refused_batch_ends_the_run_in_one_sentence_and_nothing_is_in_doubt(tmp_path, emulator):
    done = harness_here(
        *OPTIONS,
        "--store",
        tmp_path,
        base_url=emulator.base_url,
        ANTHROPIC_API_KEY="invalid",
        OPENAI_API_KEY="invalid",
    )
    assert done.returncode == 1
    assert "was not taken" in done.stderr
    assert "Traceback" not in done.stderr
    run, requests, _ = recorded(tmp_path)
    assert run.status is RunStatus.FAILED
    assert not requests
    document = resumed(tmp_path, emulator.base_url)
    assert document["possibly_paid_twice"] == []
    check_paid_once(tmp_path, emulator)
