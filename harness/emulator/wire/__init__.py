"""The providers' wire formats."""

from harness.emulator.wire.anthropic import AnthropicMessages
from harness.emulator.wire.ask import Ask, Reply, Wire, WireError, object_in
from harness.emulator.wire.bedrock import BedrockConverse
from harness.emulator.wire.gemini import GeminiContent
from harness.emulator.wire.openai_chat import OpenAIChat
from harness.emulator.wire.openai_responses import OpenAIResponses

__all__ = [
    "AnthropicMessages",
    "Ask",
    "BedrockConverse",
    "GeminiContent",
    "OpenAIChat",
    "OpenAIResponses",
    "Reply",
    "Wire",
    "WireError",
    "object_in",
]
