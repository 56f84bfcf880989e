"""One fast emulator for the tests of this folder, and the SDKs' clients for it."""

from collections.abc import Iterator

import anthropic
import openai
import pytest

from harness.emulator import EmulatorSettings, RunningEmulator, running_emulator


@pytest.fixture(scope="session")
def emulator() -> Iterator[RunningEmulator]:
    with running_emulator(EmulatorSettings(speed=200, seed=7)) as running:
        yield running


@pytest.fixture(scope="session")
def claude(emulator: RunningEmulator) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        api_key="test-key", base_url=emulator.base_url, max_retries=0, timeout=20
    ) as client:
        yield client


@pytest.fixture(scope="session")
def gpt(emulator: RunningEmulator) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        api_key="test-key", base_url=emulator.openai_base_url, max_retries=0, timeout=20
    ) as client:
        yield client
