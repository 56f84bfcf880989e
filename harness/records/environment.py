"""What an environment is called: one spelling, whoever wrote it.

Logs say `Production`, ` production ` or `prod`, rules say `production`: they must meet.
"""

import os
from collections.abc import Mapping

ENVIRONMENT_ALIASES: Mapping[str, str] = {"prod": "production", "prd": "production"}
ALIASES_VARIABLE = "HARNESS_ENV_ALIASES"
_OFF = frozenset({"off", "0", "false", "no"})


def environment_aliases() -> Mapping[str, str]:
    """Short names and what they stand for; none where `HARNESS_ENV_ALIASES` is off."""
    return {} if os.environ.get(ALIASES_VARIABLE, "").strip().lower() in _OFF else ENVIRONMENT_ALIASES


def environment_name(text: str | None) -> str | None:
    """An environment's name: trimmed, in lower case, an alias as what it stands for; None for a blank one."""
    folded = (text or "").strip().lower()
    return environment_aliases().get(folded, folded) or None
