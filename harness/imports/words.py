"""Words of other tools in ours: providers, roles, errors."""

import json
import re
from functools import lru_cache

from harness.providers.reading.failures import kind_of
from harness.providers.reading.values import JsonObject, as_object
from harness.records import ErrorKind, Role

_PROVIDERS = {
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure_openai": "azure",
    "azure_ai": "azure",
    "aws.bedrock": "bedrock",
    "aws_bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "amazon_bedrock": "bedrock",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "vertex-ai",
    "vertex_ai": "vertex-ai",
    "google_vertexai": "vertex-ai",
    "gemini": "google",
    "google_genai": "google",
    "google_ai_studio": "google",
    "google.generative-ai": "google",
    "google.vertex": "vertex-ai",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "fireworks_ai": "fireworks",
    "together_ai": "together",
    "text-completion-openai": "openai",
}
"""As the GenAI conventions, LiteLLM and OpenInference call them -> as the price book does."""
_SUB_API = re.compile(
    r"^(openai|anthropic|mistral|xai|groq|cohere|azure|deepseek)\.(chat|messages|responses|completion)$"
)

_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (Role.REPAIR, re.compile(r"(?:^|[^a-z])(repair|fix|mend|correct)", re.IGNORECASE)),
    (Role.JUDGE, re.compile(r"(?:^|[^a-z])(judge|grader?|llm[-_ ]?as[-_ ]?a[-_ ]?judge)", re.IGNORECASE)),
    (Role.SUGGEST, re.compile(r"(?:^|[^a-z])suggest", re.IGNORECASE)),
    (Role.DRAFT, re.compile(r"(?:^|[^a-z])draft", re.IGNORECASE)),
)

_ERRORS: tuple[tuple[ErrorKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(words))
    for kind, words in (
        (ErrorKind.RATE_LIMITED, r"rate_?limit|too_?many_?requests|throttl|resource_?exhausted"),
        (ErrorKind.TIMEOUT, r"time_?d?_?out|deadline"),
        (ErrorKind.OVERLOADED, r"overload"),
        (
            ErrorKind.AUTH,
            r"authenticat|permission|unauthori[sz]ed|forbidden|invalid_?api_?key|access_?denied",
        ),
        (ErrorKind.CONTENT_FILTER, r"content_?(filter|policy)"),
        (ErrorKind.CANCELLED, r"cancel|abort"),
        (ErrorKind.CONNECTION, r"connect|socket|network|ssl|dns"),
        (
            ErrorKind.BAD_REQUEST,
            r"bad_?request|invalid_?request|(?<!module_)not_?found|unprocessable|context_?(window|length)",
        ),
        (ErrorKind.TRUNCATED, r"length_?finish|truncat"),
        (ErrorKind.BAD_OUTPUT, r"validation|schema|json|pars(e|ing)"),
    )
)


_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=4096)
def provider_name(word: str) -> str:
    """A provider as the price book calls it; a word that is not known stays as it is, in lower case."""
    low = word.strip().lower()
    if found := _SUB_API.match(low):
        low = found[1]
    return _PROVIDERS.get(low, low)


_FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("openai", re.compile(r"^(gpt-|chatgpt-|o[1-9](-|$))")),
    ("anthropic", re.compile(r"^claude-")),
    ("google", re.compile(r"^gemini-")),
)


@lru_cache(maxsize=4096)
def provider_of_model(model: str) -> str:
    """Whose model it is, for telemetry that names no provider: of families that one maker alone has."""
    return next((provider for provider, names in _FAMILIES if names.search(model.lower())), "unknown")


@lru_cache(maxsize=4096)
def role_name(name: str) -> str | None:
    """The role that a span's name, an operation or an attribute tells; None for none."""
    return next((role.value for role, words in _ROLES if words.search(name)), None)


@lru_cache(maxsize=4096)
def error_kind(word: str, http_status: int | None) -> str:
    """The kind of a failure from its class or word (`openai.RateLimitError`, `timeout`, `429`) and status."""
    if http_status is None and word.isascii() and word.isdigit() and len(word) == 3:
        http_status = int(word)
    if http_status is not None and http_status >= 400:
        return kind_of(http_status, {"error": {"type": word}}).value
    snake = _HUMP.sub("_", word).lower()
    known = next((kind for kind, words in _ERRORS if words.search(snake)), None)
    return (known or kind_of(None, {"error": {"type": word.lower()}})).value


def status_in(word: object) -> int | None:
    """An HTTP status in a number or its digits; None for whatever is none."""
    if isinstance(word, str) and word.isascii() and word.isdigit() and len(word) == 3:
        word = int(word)
    return word if isinstance(word, int) and not isinstance(word, bool) and 100 <= word <= 599 else None


def object_in(value: object) -> JsonObject:
    """An object, or one as JSON text, as tables hold it; an empty one for anything else."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return as_object(value)
