"""The scenarios that ship: name -> what is asked. Each has a locustfile of the same name in `scenarios/`."""

from harness.errors import UsageError
from harness.load.chat import AnthropicMessages, OpenAIChat
from harness.load.exchange import DraftGraph, Exchange
from harness.load.streamed import DraftGraphStream

SCENARIOS: dict[str, type[Exchange]] = {
    DraftGraph.scenario: DraftGraph,
    DraftGraphStream.scenario: DraftGraphStream,
    OpenAIChat.scenario: OpenAIChat,
    AnthropicMessages.scenario: AnthropicMessages,
}


def exchange_of(scenario: str) -> Exchange:
    """The exchange of a scenario.

    Raises:
        UsageError: there is none of that name.
    """
    if scenario not in SCENARIOS:
        raise UsageError(f"no scenario '{scenario[:40]}'; there are {', '.join(SCENARIOS)}")
    return SCENARIOS[scenario]()
