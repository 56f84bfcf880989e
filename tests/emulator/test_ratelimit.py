"""Requests per minute: so many pass, the rest wait, and the bucket refills."""

import anthropic
import pytest

from harness.emulator import EmulatorSettings, running_emulator
from harness.emulator.ratelimit import RequestLimiter

HELLO = [{"role": "user", "content": "Hi"}]


def test_a_bucket_refills_evenly_and_each_model_has_its_own():
    now = [0.0]
    limiter = RequestLimiter(60, lambda: now[0])
    assert [limiter.take("a").retry_after_s for _ in range(60)] == [None] * 60
    assert limiter.take("a").retry_after_s == pytest.approx(1)
    assert limiter.take("b").retry_after_s is None
    now[0] = 0.5
    assert limiter.take("a").retry_after_s == pytest.approx(0.5)
    now[0] = 1.0
    assert limiter.take("a").retry_after_s is None


def test_without_a_limit_everything_passes():
    limiter = RequestLimiter(None)
    assert all(limiter.take("a").retry_after_s is None for _ in range(20_000))


def test_the_sdk_is_told_how_long_to_wait():
    with running_emulator(EmulatorSettings(speed=500, rpm=2)) as emulator:
        claude = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0)
        ask = {"model": "claude-3-haiku-20240307", "max_tokens": 9, "messages": HELLO}
        for _ in range(2):
            claude.messages.create(**ask)
        with pytest.raises(anthropic.RateLimitError) as caught:
            claude.messages.create(**ask)
        headers = caught.value.response.headers
        assert headers["anthropic-ratelimit-requests-limit"] == "2"
        assert headers["anthropic-ratelimit-requests-remaining"] == "0"
        assert 0 < float(headers["retry-after-ms"]) <= 30_000
        assert 1 <= int(headers["retry-after"]) <= 30
        assert emulator.settled()[-1].fault == "rate_limited"
