"""One fast emulator for the tests of this folder, and the SDKs' clients for it."""

from collections.abc import Iterator

import anthropic
import boto3
import openai
import pytest
from botocore.config import Config
from google import genai

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


@pytest.fixture(scope="session")
def gemini(emulator: RunningEmulator) -> Iterator[genai.Client]:
    with genai.Client(api_key="test-key", http_options={"base_url": emulator.base_url}) as client:
        yield client


@pytest.fixture(scope="session")
def bedrock(emulator: RunningEmulator):
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=emulator.base_url,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
