"""Base URLs as gateways and clouds write them, and proxies as environments name them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest

from harness.addresses import is_loopback, joined, request_target, secrets_in, shown, under_version
from harness.emulator import EmulatorSettings, running_emulator
from harness.errors import ConfigError, ProviderError
from harness.orchestration import resolve_routing, resolve_strategy
from harness.providers import ProviderSettings
from harness.providers.anthropic import AnthropicAdapter
from harness.providers.openai import OpenAIAdapter
from harness.proxies import proxy_for
from harness.records import Prompt, Role
from harness.service import ServiceSettings, create_app
from tests.service.running import emulated_env, serving

TOKEN = "tok-0123456789abcdef"


class _Quoting(BaseHTTPRequestHandler):
    """Refuses everything, quoting what it was asked."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        server: Any = self.server
        server.asked.append(self.path)
        body = json.dumps({"error": {"message": f"no such route {self.path}", "type": "x"}}).encode()
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def quoting() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Quoting)
    server.asked = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("adapter", "base", "asked"),
    [
        (OpenAIAdapter, "/v1", "/v1/chat/completions"),
        (OpenAIAdapter, "/v1/", "/v1/chat/completions"),
        (OpenAIAdapter, "/api/paas/v4", "/api/paas/v4/chat/completions"),
        (OpenAIAdapter, "", "/chat/completions"),
        (
            OpenAIAdapter,
            f"/openai/deployments/d1?api-version=2026-01-01&sig={TOKEN}",
            f"/openai/deployments/d1/chat/completions?api-version=2026-01-01&sig={TOKEN}",
        ),
        (AnthropicAdapter, "", "/v1/messages"),
        (AnthropicAdapter, "/", "/v1/messages"),
        (AnthropicAdapter, "/v1", "/v1/messages"),
        (AnthropicAdapter, f"/anthropic/?token={TOKEN}", f"/anthropic/v1/messages?token={TOKEN}"),
    ],
)
async def test_a_path_goes_where_the_base_says_and_its_query_stays(
    adapter: Any, base: str, asked: str
) -> None:
    with quoting() as server:
        settings = ProviderSettings(
            name="gateway",
            kind="openai-compatible" if adapter is OpenAIAdapter else "anthropic",
            base_url=f"http://127.0.0.1:{server.server_port}{base}",
            api_key="k-123456",
        )
        made = adapter(settings, "some-model")
        with pytest.raises(ProviderError) as refused:
            await made.generate(
                Prompt(role=Role.DRAFT, system="s", user="u", max_tokens=9), call_id="c", timeout_s=9
            )
        await made.aclose()
        assert server.asked == [asked]
    assert TOKEN not in str(refused.value) + repr(settings) + repr(made)


@pytest.mark.parametrize(
    ("base", "path", "asked"),
    [
        ("http://h", "/v1/chat/completions", "/v1/chat/completions"),
        ("http://h/", "/v1/chat/completions", "/v1/chat/completions"),
        ("http://h/v1/", "/v1/chat/completions", "/v1/chat/completions"),
        ("http://h/openai/v1beta", "/v1/chat/completions", "/openai/v1beta/chat/completions"),
        ("http://h/gateway", "/v1/messages", "/gateway/v1/messages"),
        (
            "http://h/openai/deployments/d?api-version=1",
            "/v1/chat/completions",
            "/openai/deployments/d/chat/completions?api-version=1",
        ),
        ("http://h/a?x=1#f", "/assist/draft-graph", "/a/assist/draft-graph?x=1"),
    ],
)
def test_a_load_target_follows_the_same_rule(base: str, path: str, asked: str) -> None:
    assert request_target(base, under_version(base, path)) == asked
    assert joined(base, "/healthz").startswith("http://h")


def test_secrets_of_a_url_are_masked_wherever_it_is_shown() -> None:
    url = f"https://bob:hunter22@h/v1?api-version=1&sig={TOKEN}&code=abc%2Fdef"
    assert shown(url) == "https://h/v1?api-version=1&sig=[redacted]&code=[redacted]"
    assert set(secrets_in(url)) == {"bob", "hunter22", TOKEN, "abc/def", "abc%2Fdef"}
    routing = resolve_routing({"OPENAI_BASE_URL": f"https://h/v1?token={TOKEN}", "OPENAI_API_KEY": "k"})
    assert TOKEN not in str(routing.settings)


PROXIED = "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("env", "url", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:3128"}, PROXIED, "http://p:3128"),
        ({"https_proxy": "p:3128"}, PROXIED, "http://p:3128"),
        ({"ALL_PROXY": "http://p:1"}, PROXIED, "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, PROXIED, None),
        ({"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, "http://api.example.com", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "example.com"}, PROXIED, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": ".example.com"}, PROXIED, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "other.com, *"}, PROXIED, None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "ample.com"}, PROXIED, "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, "http://10.1.2.3/v1", None),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "::1/128"}, PROXIED, "http://p:1"),
        ({"ALL_PROXY": "http://p:1", "NO_PROXY": "fd00::/8"}, "http://[fd00::7]:80/", None),
        (
            {"ALL_PROXY": "http://p:1", "NO_PROXY": "api.example.com:8443"},
            "https://api.example.com:443",
            "http://p:1",
        ),
        ({"ALL_PROXY": "socks5://p:1"}, "http://127.0.0.1:9/v1", None),
        ({"ALL_PROXY": "gibberish://"}, "http://localhost/v1", None),
        ({"ALL_PROXY": "http://p:1"}, "http://[::1]:9/", None),
    ],
)
def test_a_proxy_is_used_where_it_applies(env: dict[str, str], url: str, proxy: str | None) -> None:
    assert proxy_for(url, env) == proxy


@pytest.mark.parametrize(
    "value", ["socks://p:1", "ftp://p:1", "http://", "http://p:99999", "://", "socks4://p:1"]
)
def test_a_wrong_proxy_is_one_sentence(value: str) -> None:
    with pytest.raises(ConfigError, match="ALL_PROXY"):
        proxy_for(PROXIED, {"ALL_PROXY": value})


@pytest.mark.parametrize(
    "env",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:1"},
        {"ALL_PROXY": "socks://127.0.0.1:1", "NO_PROXY": "::1/128"},
        {"HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "[::1],::1/128,*.local"},
    ],
)
def test_the_embedded_path_never_asks_a_proxy(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:

    for name, value in env.items():
        monkeypatch.setenv(name, value)
    with running_emulator(EmulatorSettings(speed=200, defect_rate=0)) as emulator:
        routing = resolve_routing(emulated_env(emulator))
        app = create_app(ServiceSettings(routing=routing, strategy=resolve_strategy(routing, "hybrid")))
        with serving(app) as url, httpx2.Client(base_url=url, trust_env=False, timeout=20) as client:
            assert client.post("/assist/draft-graph", json={"brief": "Hire or outsource?"}).status_code == 200


def test_this_machine_has_many_names() -> None:
    assert all(is_loopback(host) for host in ("localhost", "a.localhost", "127.9.9.9", "::1", "[::1]"))
    assert not any(is_loopback(host) for host in ("example.com", "10.0.0.1", "", "::2"))
