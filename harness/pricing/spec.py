"""How people write a call on the command line: `provider/model:in/out`, cached tokens after a comma."""

import re
from dataclasses import dataclass

from harness.errors import UsageError
from harness.pricing.breakdown import ModelRef
from harness.records import Usage

_COUNT = re.compile(r"[0-9]{1,12}")
_EXTRAS = {
    "read": "cache_read_tokens",
    "write": "cache_write_5m_tokens",
    "write1h": "cache_write_1h_tokens",
    "reasoning": "reasoning_tokens",
}
TEXT = "text"
"""Written instead of an input count: estimate it from a text."""

FORMAT = (
    "provider/model:in/out, where `in` is all input tokens and may be followed by its cached parts: "
    "provider/model:in/out,read=N,write=N,write1h=N,reasoning=N"
)


@dataclass(frozen=True, slots=True)
class CallSpec:
    """A call as written; `from_text` when its input tokens are an estimate."""

    ref: ModelRef
    usage: Usage
    from_text: bool = False


def parse_model(text: str, option: str) -> ModelRef:
    """Read `provider/model`.

    Raises:
        UsageError: one sentence naming the option.
    """
    provider, slash, model = text.partition("/")
    if not (provider.strip() and slash and model.strip()):
        raise UsageError(f"{option} '{text}': expected provider/model, like openai/gpt-4o-mini")
    return ModelRef(provider.strip(), model.strip())


def parse_call(text: str, option: str, *, text_tokens: int | None = None) -> CallSpec:
    """Read `provider/model:in/out[,read=N,write=N,write1h=N,reasoning=N]`.

    Args:
        text: as written; `in` may be the word `text`.
        option: what the sentence of a refusal names.
        text_tokens: the estimate that stands for the word `text`; None when there is no text.

    Raises:
        UsageError: one sentence saying what is wrong with it.
    """
    name, colon, tokens = text.rpartition(":")
    counts, *extras = tokens.split(",")
    written_in, slash, written_out = counts.partition("/")
    if not (colon and slash):
        raise UsageError(f"{option} '{text}': expected {FORMAT}")
    ref = parse_model(name, option)
    from_text = written_in == TEXT
    if not from_text:
        text_tokens = _count(written_in, option, text)
    elif text_tokens is None:
        raise UsageError(f"{option} '{text}': the word `text` needs --text FILE")
    fields = {"input_tokens": text_tokens, "output_tokens": _count(written_out, option, text)}
    for extra in extras:
        key, _, count = extra.partition("=")
        if key not in _EXTRAS or _EXTRAS[key] in fields:
            raise UsageError(f"{option} '{text}': unknown or repeated part '{extra}'; expected {FORMAT}")
        fields[_EXTRAS[key]] = _count(count, option, text)
    try:
        return CallSpec(ref, Usage(**fields), from_text)
    except ValueError as error:
        problem = str(error).partition(":")[0]
        raise UsageError(f"{option} '{text}': {problem} (`in` counts all input, cached included)") from error


def _count(written: str, option: str, text: str) -> int:
    digits = written.replace("_", "")
    if not _COUNT.fullmatch(digits):
        raise UsageError(f"{option} '{text}': '{written}' is not a token count; expected {FORMAT}")
    return int(digits)
