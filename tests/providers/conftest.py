from collections.abc import Callable

import pytest

from harness.providers import LLMAdapter, ProviderSettings, build_adapter

MODELS = {"anthropic": "claude-sonnet-5-5", "openai": "gpt-4o-mini"}
CANARY = "sk-ant-canary-0123456789abcdef"


@pytest.fixture(params=["anthropic", "openai"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs against both wire formats."""
    return str(request.param)


@pytest.fixture
def adapter_at() -> Callable[..., LLMAdapter]:
    def build(kind: str, url: str, *, model: str | None = None, **more: object) -> LLMAdapter:
        settings = ProviderSettings(name=kind, kind=kind, base_url=url, api_key=CANARY, **more)
        return build_adapter(settings, model or MODELS[kind])

    return build
