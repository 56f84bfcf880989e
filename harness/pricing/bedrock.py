"""Names of Bedrock models: `us.anthropic.claude-sonnet-4-5-20250929-v1:0` is scope, model and version."""

import re
from dataclasses import dataclass

GLOBAL = "global"
REGIONAL = "regional"

_SCOPES = {
    GLOBAL: GLOBAL,
    **dict.fromkeys((REGIONAL, "us", "us-gov", "eu", "apac", "au", "jp", "in", "ca"), REGIONAL),
}
_NAME = re.compile(
    r"(?:(?P<scope>[a-z-]+)\.)?(?P<model>[a-z0-9]+\.[a-z0-9][a-z0-9.-]*?)(?P<version>-v\d+(?::\d+)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class BedrockName:
    """A name taken apart. `scope` is `global`, `regional` (a region's or a continent's), or "" for unsaid."""

    scope: str
    model: str
    version: str

    def is_priced_as(self, listed: "BedrockName") -> bool:
        """Whether a name of the price data is this one's: the same model, at the price of the same scope.

        A model that the data lists without a scope costs the same everywhere; a call without one stays in
        its region.
        """
        same_version = not (self.version and listed.version) or self.version == listed.version
        if self.model != listed.model or not same_version:
            return False
        return not listed.scope or (self.scope or REGIONAL) == listed.scope


def bedrock_name(text: str) -> BedrockName | None:
    """A name taken apart; None for what is no Bedrock name."""
    read = _NAME.fullmatch(text)
    if read is None or (read["scope"] or "us") not in _SCOPES:
        return None
    version = read["version"] or ""
    return BedrockName(_SCOPES.get(read["scope"] or "", ""), read["model"], version.removesuffix(":0"))
