"""Why a model stopped, in any provider's word, and what that makes of its answer."""

from harness.providers.reading.excerpts import message_of
from harness.providers.reading.failures import kind_of
from harness.records import ErrorKind

FINISHED = frozenset(
    {
        "stop",
        "stop_sequence",
        "end_turn",
        "eos",
        "eos_token",
        "complete",
        "completed",
        "normal",
        "tool_calls",
        "tool_call",
        "tool_use",
        "function_call",
    }
)
"""The model had said what it wanted to."""

_KINDS: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.TRUNCATED: (
        "length",
        "max_tokens",
        "max_output_tokens",
        "model_length",
        "model_context_window_exceeded",
        "context_length_exceeded",
        "max_context_length",
        "error_limit",
        "pause_turn",
    ),
    ErrorKind.CONTENT_FILTER: (
        "content_filter",
        "content_filtered",
        "refusal",
        "safety",
        "sensitive",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "language",
        "image_safety",
        "image_prohibited_content",
        "image_recitation",
        "guardrail_intervened",
        "error_toxic",
        "moderation",
        "model_armor",
        "blocked",
        "jailbreak",
    ),
    ErrorKind.OVERLOADED: ("insufficient_system_resource", "overloaded"),
    ErrorKind.UPSTREAM_5XX: (
        "error",
        "network_error",
        "server_error",
        "internal_error",
        "internal_server_error",
        "abort",
        "aborted",
        "cancelled",
        "canceled",
        "failed",
    ),
    ErrorKind.TIMEOUT: ("timeout", "time_limit"),
    ErrorKind.BAD_OUTPUT: (
        "malformed_function_call",
        "unexpected_tool_call",
        "error_parsing",
        "malformed_response",
        "malformed_model_output",
        "malformed_tool_use",
        "too_many_tool_calls",
    ),
}
_KIND_BY_REASON = {reason: kind for kind, reasons in _KINDS.items() for reason in reasons}
_NOT_TOLD = frozenset({"null", "none", "finish_reason_unspecified", "unspecified"})
"""Words that some endpoints write in every chunk before the last."""


def is_told(reason: str) -> bool:
    """Whether a word is a reason at all."""
    return reason.lower() not in _NOT_TOLD


def kind_of_ending(reason: str) -> ErrorKind | None:
    """What a finish reason makes of the answer: None for an answer, `unknown_finish` for a word not known.

    `content_filter: SAFETY` is read by either of its words, the worse first.
    """
    words = [part.strip() for part in reason.lower().split(":")]
    bad = next((_KIND_BY_REASON[word] for word in words if word in _KIND_BY_REASON), None)
    if bad is None and not FINISHED.intersection(words):
        return ErrorKind.UNKNOWN_FINISH
    return bad


_PROBLEMS = {
    ErrorKind.TRUNCATED: "cut off at the limit",
    ErrorKind.CONTENT_FILTER: "stopped by the content filter",
    ErrorKind.OVERLOADED: "the provider ran out of capacity",
    ErrorKind.UPSTREAM_5XX: "the provider failed in mid-answer",
    ErrorKind.TIMEOUT: "the provider's own deadline passed",
    ErrorKind.BAD_OUTPUT: "the model's output was malformed",
    ErrorKind.UNKNOWN_FINISH: "ended for a reason that is not known here",
}


def problem_of_ending(kind: ErrorKind, reason: str) -> str:
    """The clause about an answer that ended so."""
    return f"{_PROBLEMS[kind]} ({reason})"


def failure_told(
    error: object, reason: str | None, *, is_whole: bool, refused: bool = False
) -> tuple[ErrorKind | None, str]:
    """What makes an answer none, and a clause about it; None and nothing for an answer.

    Args:
        error: the event or body with the error that came inside the answer; None for none.
        reason: the finish reason, where one was told.
        is_whole: the answer came in one piece.
        refused: the model said a refusal where the answer should be.
    """
    if error is not None:
        where = "error inside the answer" if is_whole else "error in mid-stream"
        said = message_of(error)
        return kind_of(None, error), f"{where}, {said}" if said else where
    kind = None if reason is None else kind_of_ending(reason)
    if kind is not None and reason is not None:
        return kind, problem_of_ending(kind, reason)
    if refused:
        return ErrorKind.CONTENT_FILTER, "the model refused to answer"
    return None, ""
