"""Answers take the time that was drawn, and the draws follow the curve."""

from concurrent.futures import ThreadPoolExecutor

import anthropic
import pytest

from harness.emulator import EmulatorSettings, LatencyCurve, find_model, running_emulator
from harness.emulator.draws import Draws
from harness.emulator.model import Pace, pieces_of

SONNET = "claude-3-5-sonnet-20241022"


def test_drawn_latencies_follow_the_curve():
    curve = LatencyCurve.through({"0.5": 3000, "0.95": 6000, "0.99": 9000})
    drawn = [
        curve.quantile_ms(Draws(seed=3, model="m", digest=b"x", occurrence=n).uniform("latency"))
        for n in range(5000)
    ]
    shares = sorted(curve.share_below(ms) for ms in drawn)
    distance = max(abs(share - (index + 0.5) / 5000) for index, share in enumerate(shares))
    assert distance < 0.023  # Kolmogorov's bound at 1% for n = 5,000


@pytest.mark.parametrize("pieces", [1, 2, 8])
def test_the_pace_starts_at_the_first_token_and_ends_at_the_total(pieces):
    pace = Pace(ttft_ms=200, total_ms=1000)
    times = [pace.at(index, pieces) for index in range(pieces)]
    assert times == sorted(times)
    assert times[-1] == 1000
    assert pieces == 1 or times[0] == 200


@pytest.mark.parametrize("text", ["", "a", "word " * 100, "éü€" * 50])
def test_pieces_join_to_the_text(text):
    pieces = pieces_of(text, 8)
    assert "".join(pieces) == text
    assert 1 <= len(pieces) <= 8


def run_once(seed: int, order: list[int]) -> dict[str, tuple[float, str]]:
    """Intended latency and response id by question, asked concurrently in a given order."""
    with running_emulator(EmulatorSettings(speed=100, seed=seed)) as emulator:
        claude = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0)

        def ask(number: int) -> None:
            messages = [{"role": "user", "content": f"Question {number % 6}"}]
            headers = {"X-Client-Request-Id": f"q{number % 6}"}
            claude.messages.create(model=SONNET, max_tokens=50, messages=messages, extra_headers=headers)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, order))
        entries = emulator.settled()
        return {f"{e.call_id}/{e.occurrence}": (e.intended_ms, e.response_id) for e in entries}


def test_order_and_concurrency_change_no_draw_and_the_seed_does():
    forwards, backwards = run_once(5, list(range(12))), run_once(5, list(range(11, -1, -1)))
    assert forwards == backwards
    assert len(forwards) == 12
    assert forwards != run_once(6, list(range(12)))


def test_an_answer_takes_the_drawn_time_and_the_first_token_its_share():
    curve = {SONNET: LatencyCurve.through({"0.5": 400})}
    with running_emulator(EmulatorSettings(latency=curve)) as emulator:
        claude = anthropic.Anthropic(api_key="k", base_url=emulator.base_url, max_retries=0)
        hello = [{"role": "user", "content": "Hi"}]
        for _ in range(3):
            with claude.messages.stream(model=SONNET, max_tokens=50, messages=hello) as stream:
                stream.until_done()
        entries = emulator.settled()
    assert all(entry.intended_ms == pytest.approx(400) for entry in entries)
    # A busy machine may be late, never early beyond the loop's millisecond; one of three must be near.
    assert all(e.finished_ms > 398 and e.first_byte_ms > e.intended_ttft_ms - 2 for e in entries)
    assert min(entry.finished_ms for entry in entries) < 440


def test_the_default_pipeline_is_inside_the_gate():
    """Draft at sonnet, one in five repaired at mini: the share over 8 s is well below 5%."""
    sonnet, mini = find_model(SONNET, "anthropic"), find_model("gpt-4o-mini", "openai")
    assert sonnet is not None
    assert mini is not None
    steps = [(index + 0.5) / 400 for index in range(400)]
    drafts = [sonnet.latency.quantile_ms(p) for p in steps]
    over_alone = sum(ms > 8000 for ms in drafts) / 400
    repairs = [mini.latency.share_below(8000 - ms) if ms < 8000 else 0 for ms in drafts]
    over_repaired = sum(1 - share for share in repairs) / 400
    assert 0.8 * over_alone + 0.2 * over_repaired < 0.03
