"""The providers' wire formats."""

from harness.emulator.wire.anthropic import AnthropicMessages
from harness.emulator.wire.ask import Ask, Reply, Wire, WireError
from harness.emulator.wire.openai_chat import OpenAIChat

__all__ = ["AnthropicMessages", "Ask", "OpenAIChat", "Reply", "Wire", "WireError"]
