"""The connection pool: what it hands out again, and what it must not."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.load.message import RequestLine
from harness.load.transport import Transport
from tests.load.target import running_target

LINE = RequestLine(method="POST", path="/assist/draft-graph", headers=())
MANY = 1100
"""More descriptors than `select` can look at."""


@contextmanager
def transport(url: str) -> Iterator[Transport]:
    made = Transport(url, size=4, timeout_s=10)
    yield made
    made.close()


def ask(sender: Transport, number: int) -> int:
    response = sender.send(LINE, f"q{number}", b"{}")
    response.read()
    return response.status_code


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(MANY)]
    yield
    for descriptor in held:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_connection_serves_one_request_after_another() -> None:
    with running_target() as target, transport(target.url) as sender:
        assert [ask(sender, number) for number in range(5)] == [200] * 5
        assert len(target.accepted) == 1


@pytest.mark.usefixtures("many_descriptors")
def test_a_connection_with_a_high_descriptor_is_used_again() -> None:
    with running_target() as target, transport(target.url) as sender:
        assert [ask(sender, number) for number in range(5)] == [200] * 5
        assert len(target.accepted) == 1


def test_a_connection_that_the_target_has_closed_is_not_used_again() -> None:
    with running_target() as target, transport(target.url) as sender:
        assert ask(sender, 1) == 200
        target.hang_up()
        assert ask(sender, 2) == 200
        assert len(target.accepted) == 2
