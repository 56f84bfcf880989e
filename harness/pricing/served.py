"""Whether the model that answered is the one that was asked for: its version, or another model altogether."""

import re

_DATE = r"20\d\d-?\d\d-?\d\d|\d{2}-20\d\d|\d{4}"
_ENDINGS = re.compile(
    rf"(?:[-@:](?:latest|default|preview|exp|free|beta|0|(?:preview|exp)-\d\d-\d\d|{_DATE})|-v\d+(?::\d+)?|-00\d|\.ft-[0-9a-f]+)$",
    re.ASCII,
)
_BEDROCK_SCOPE = re.compile(
    r"^(?:(?:us|us-gov|eu|apac|au|jp|in|ca|global)\.)?(?:[a-z0-9]+\.)(?=[a-z])", re.ASCII
)
_TUNED = re.compile(r"^ft:([^:]+):.*$", re.ASCII)


def family_of(model: str) -> str:
    """A model's name without seller, version and date: `gpt-4o` of `openai/gpt-4o-2024-05-13`."""
    name = model.lower().rpartition("/")[2]
    name = _TUNED.sub(r"ft:\1", name)
    name = _BEDROCK_SCOPE.sub("", name)
    while (shorter := _ENDINGS.sub("", name)) != name and shorter:
        name = shorter
    return name


def is_same_family(asked: str, served: str) -> bool:
    """Whether a served model is the one that was asked for, in whatever version."""
    return family_of(asked) == family_of(served)
