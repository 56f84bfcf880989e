"""The scenarios by name: what is asked. Each that ships has a locustfile of the same name in `scenarios/`."""

from collections.abc import Callable

from harness.load.exchange import Exchange
from harness.plugins import Plugins

SCENARIOS: Plugins[Callable[[], Exchange]] = Plugins(
    "scenario",
    "harness.scenarios",
    shipped={
        "baseline": "harness.load.exchange:DraftGraph",
        "stream": "harness.load.streamed:DraftGraphStream",
        "openai-chat": "harness.load.chat:OpenAIChat",
        "anthropic-messages": "harness.load.chat:AnthropicMessages",
    },
)


def exchange_of(scenario: str) -> Exchange:
    """The exchange of a scenario.

    Raises:
        UsageError: there is none of that name.
    """
    return SCENARIOS.find(scenario)()
