"""How Bedrock is reached: signatures, keys, regions, and what is said where something is missing."""

import json
import subprocess
import sys
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from harness.errors import ConfigError
from harness.providers import ProviderSettings, build_adapter
from harness.providers.access import access_problem
from harness.providers.aws import _located, aws_endpoint
from harness.records import NO_USAGE, ErrorKind
from tests.providers.asking import ask, failure
from tests.providers.native import CLAUDE, NATIVES
from tests.providers.wire import Asked, wire_server

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NATIVE = NATIVES["bedrock"]


@pytest.fixture(autouse=True)
def no_aws_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")


def signature_of(asked: Asked, url: str) -> str:
    """What the request as it arrived should have been signed with."""
    said = asked.headers["authorization"]
    names = said.split("SignedHeaders=")[1].split(",")[0].split(";")
    request = AWSRequest(
        "POST",
        url + asked.path,
        data=json.dumps(asked.body, separators=(",", ":")).encode(),
        headers={name: asked.headers[name] for name in names},
    )
    request.context["timestamp"] = asked.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(KEY_ID, SECRET, "session-token"), "bedrock", "us-east-1")
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))


@pytest.mark.usefixtures("credentials")
async def test_a_request_arrives_as_it_was_signed_and_where_the_sdk_sends_it() -> None:
    async with wire_server([NATIVE.streamed()]) as server:
        await ask(NATIVE.adapter(server.url, key=None))
        (asked,) = server.asked
        assert f"Credential={KEY_ID}/" in asked.headers["authorization"]
        assert asked.headers["authorization"].endswith(f"Signature={signature_of(asked, server.url)}")
        assert asked.headers["x-amz-security-token"] == "session-token"
    sent: list[Any] = []
    client = boto3.client("bedrock-runtime", "us-east-1", config=Config(retries={"total_max_attempts": 1}))
    client.meta.events.register(
        "before-send.bedrock-runtime", lambda request, **_: sent.append(request) or _Stop()
    )
    with pytest.raises(AttributeError):
        client.converse_stream(modelId=CLAUDE, messages=asked.body["messages"])
    assert (
        sent[0].url
        == f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{quote(CLAUDE, safe='')}/converse-stream"
    )
    assert sent[0].url.endswith(asked.path)


class _Stop:
    """No response: the SDK's request is looked at and not sent."""


async def test_an_api_key_needs_no_credentials() -> None:
    async with wire_server([NATIVE.streamed()]) as server:
        await ask(NATIVE.adapter(server.url, key="ABSK-test-key-000000"))
    assert server.asked[0].headers["authorization"] == "Bearer ABSK-test-key-000000"
    assert "x-amz-date" not in server.asked[0].headers


async def test_without_credentials_nothing_is_sent_or_billed() -> None:
    async with wire_server([NATIVE.streamed()]) as server:
        error = await failure(NATIVE.adapter(server.url, key=None))
        assert server.asked == []
    assert (error.kind, error.usage) == (ErrorKind.AUTH, NO_USAGE)
    assert "no AWS credentials were found" in str(error)
    settings = ProviderSettings(name="bedrock", kind="bedrock", base_url=server.url)
    assert "no AWS credentials were found" in (access_problem(settings, CLAUDE) or "")


@pytest.mark.usefixtures("credentials")
def test_the_region_says_where_bedrock_is(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ProviderSettings(name="bedrock", kind="bedrock")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    _located.cache_clear()
    assert aws_endpoint(settings) == ("https://bedrock-runtime.eu-central-1.amazonaws.com", "eu-central-1")
    assert access_problem(settings, CLAUDE) is None
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    _located.cache_clear()
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION: is not set"):
        build_adapter(settings, CLAUDE)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "the moon")
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION: names no region"):
        build_adapter(settings, CLAUDE)


def test_a_missing_package_is_one_sentence_that_names_the_extra() -> None:
    script = (
        "import sys\n"
        "sys.modules |= {'google.genai': None, 'botocore': None}\n"
        "from harness.errors import ConfigError\n"
        "from harness.providers import ProviderSettings, build_adapter\n"
        "for kind in ('gemini', 'bedrock'):\n"
        "    try:\n"
        "        build_adapter(ProviderSettings(name=kind, kind=kind), 'm')\n"
        "    except ConfigError as error:\n"
        "        print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        f"provider kind '{kind}': needs {sdk}, which is not installed: pip install 'llm-harness[{kind}]'"
        for kind, sdk in (("gemini", "google-genai"), ("bedrock", "boto3"))
    ]
