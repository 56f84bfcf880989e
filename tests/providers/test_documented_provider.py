"""The provider of docs/providers.md, taken from the page, installed as a plug-in and asked."""

import json
import re
import sys
from pathlib import Path

import pytest

from harness.errors import ProviderError
from harness.orchestration import resolve_routing
from harness.orchestration.config_file import ProviderEntry
from harness.providers import ProviderSettings, build_adapter, default_model, provider_kinds
from harness.records import NO_USAGE, ErrorKind, Prompt, Role, Usage
from tests.providers.wire import Reply, wire_server

PAGE = Path(__file__).parents[2] / "docs" / "providers.md"
PROMPT = Prompt(role=Role.DRAFT, system="Be brief.", user="Hello")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    return found.group(1)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's module and entry point, as an installed distribution has them."""
    entry = re.search(r'^acme = "(.+)"$', block("toml"), re.MULTILINE)
    assert entry is not None
    (tmp_path / "acme_harness.py").write_text(block("python"), "utf-8")
    info = tmp_path / "acme_harness-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-harness\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[harness.providers]\nacme = {entry.group(1)}\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_harness", raising=False)


def test_a_provider_takes_about_30_lines() -> None:
    code = [line for line in block("python").splitlines() if line.strip() and not line.startswith('"""')]
    assert len(code) <= 36


@pytest.mark.usefixtures("installed")
async def test_the_documented_provider_is_found_and_answers() -> None:
    assert "acme" in provider_kinds()
    assert default_model("acme") == "acme-1"
    said = {"text": "Hello", "why": "done", "tokens_in": 5, "tokens_out": 2}
    replies = [
        Reply([json.dumps(said)], content_type="application/json"),
        Reply(["slow down, sk-canary-0123456789"], status=429, headers={"retry-after": "3"}),
    ]
    async with wire_server(replies) as server:
        settings = ProviderSettings(
            name="acme", kind="acme", base_url=server.url, api_key="sk-canary-0123456789"
        )
        adapter = build_adapter(settings, "auto")
        answer = await adapter.generate(PROMPT, call_id="call-9", timeout_s=10)
        with pytest.raises(ProviderError) as caught:
            await adapter.generate(PROMPT, call_id="call-10", timeout_s=10)
        await adapter.aclose()
    assert (answer.text, answer.usage) == ("Hello", Usage(input_tokens=5, output_tokens=2))
    assert server.asked[0].headers["x-client-request-id"] == "call-9"
    assert caught.value.kind == ErrorKind.RATE_LIMITED
    assert caught.value.retry_after_ms == 3000
    assert caught.value.usage == NO_USAGE
    assert "canary" not in str(caught.value)


def test_the_documented_configuration_resolves(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text(block("json"), "utf-8")
    routing = resolve_routing({"GROQ_API_KEY": "gsk_canary_000000"}, config_path=path)
    draft, repair = routing.draft.settings, routing.repair.settings
    assert (draft.name, draft.kind, draft.local) == ("groq", "openai", False)
    assert draft.api_key == "gsk_canary_000000"
    assert (repair.name, repair.kind, repair.local) == ("ollama", "openai", True)
    assert routing.repair.model == "qwen3:8b"
    assert "canary" not in repr(routing)


def test_every_setting_of_a_provider_is_documented() -> None:
    page = PAGE.read_text("utf-8")
    assert [name for name in ProviderEntry.model_fields if f"`{name}" not in page] == []
