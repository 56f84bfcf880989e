"""The text of an answer's content, whichever shape it has; thinking is no answer."""

from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object, whole_text

_THINKING_TYPES = ("thinking", "reasoning", "redacted_thinking", "reasoning_text", "thought", "summary_text")
_OTHER_TOKENS = (
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "reasoning_text",
    "thinking",
    "thinking_blocks",
    "thinking_content",
    "audio",
    "images",
    "tool_calls",
    "function_call",
    "refusal",
)
_THINK_BEGINS, _THINK_ENDS = "<think>", "</think>"
_LONGEST_BLANK = 64


def text_of(content: object) -> str:
    """The answer text in a message's or a delta's `content`: a text, a list of parts, or one part."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        return _part_text(content)
    return "".join(part if isinstance(part, str) else _part_text(part) for part in as_list(content))


def _part_text(part: object) -> str:
    told = as_object(part)
    if told.get("type") in _THINKING_TYPES or told.get("thought") is True:
        return ""
    text = told.get("text")
    if isinstance(text, dict):  # {"value": ...}, as assistants' parts have it
        text = text.get("value")
    return text if isinstance(text, str) else ""


def carries_token(spoken: JsonObject) -> bool:
    """Whether a delta carries a token of any kind but answer text: thinking, audio, a call, a refusal."""
    return any(spoken.get(name) for name in _OTHER_TOKENS) or _has_content(spoken.get("content"))


def _has_content(content: object) -> bool:
    """Whether content that is no text holds anything but empty parts."""
    parts = [content] if isinstance(content, dict) else as_list(content)
    return any(
        value
        for part in parts
        for key, value in (as_object(part) or EMPTY).items()
        if key not in ("type", "index")
    )


class AnswerText:
    """The answer as it grows; a leading `<think>` block is thinking, as raw reasoning models write it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._held: str | None = ""
        """What may yet be the beginning of a think block; None once it is known."""
        self._tail: str | None = None
        """The end of the think block so far; None outside of one."""

    def add(self, text: str) -> bool:
        """Append a piece; True when some of it is answer text."""
        if self._held is not None:
            text = self._begun(self._held + text)
        elif self._tail is not None:
            text = self._thought(self._tail + text)
        if text:
            self._parts.append(text)
        return bool(text)

    def _begun(self, held: str) -> str:
        start = held[:_LONGEST_BLANK].lstrip()
        if start.startswith(_THINK_BEGINS):
            self._held = None
            return self._thought(held.lstrip().removeprefix(_THINK_BEGINS))
        if len(held) < _LONGEST_BLANK and _THINK_BEGINS.startswith(start):
            self._held = held
            return ""
        self._held = None
        return held

    def _thought(self, window: str) -> str:
        _, end, rest = window.partition(_THINK_ENDS)
        self._tail = None if end else window[-len(_THINK_ENDS) :]
        return rest.lstrip()

    @property
    def text(self) -> str:
        """The answer so far."""
        return whole_text([*self._parts, self._held or ""])
