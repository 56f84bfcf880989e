"""Chances depend on seed, model, body and occurrence, and on nothing else."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.draws import Draws, Occurrences, body_digest


def draws(seed=1, model="m", body=b"x", occurrence=1) -> Draws:
    return Draws(seed=seed, model=model, digest=body, occurrence=occurrence)


@given(st.text(max_size=20))
def test_a_draw_is_strictly_inside_zero_and_one_and_repeats(name):
    value = draws().uniform(name)
    assert 0 < value < 1
    assert value == draws().uniform(name)


@pytest.mark.parametrize("other", [{"seed": 2}, {"model": "n"}, {"body": b"y"}, {"occurrence": 2}])
def test_each_ingredient_changes_the_draw(other):
    assert draws().uniform("latency") != draws(**other).uniform("latency")


def test_draws_are_even():
    tenths = Counter(int(draws(occurrence=n).uniform("latency") * 10) for n in range(10_000))
    assert min(tenths.values()) > 880
    assert max(tenths.values()) < 1120


def test_key_order_and_caller_labels_do_not_change_the_question():
    one = {"model": "m", "messages": [1], "metadata": {"user_id": "a"}, "prompt_cache_key": "k"}
    two = {"messages": [1], "model": "m", "user": "b"}
    assert body_digest(one) == body_digest(two)
    assert body_digest(one) != body_digest({**one, "messages": [2]})


def test_occurrences_count_each_body_apart():
    seen = Occurrences()
    assert [seen.next(b"a"), seen.next(b"a"), seen.next(b"b"), seen.next(b"a")] == [1, 2, 1, 3]


def test_a_body_asked_apart_is_another_question_of_its_own() -> None:
    body = {"model": "m", "messages": [1]}
    apart = [body_digest(body), body_digest(body, "hybrid/1"), body_digest(body, "hybrid/2")]
    assert len(set(apart)) == 3
    assert body_digest(body, "hybrid/1") == apart[1]
