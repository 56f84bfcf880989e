"""A scenario's text as people may see it: a secret that somebody wrote out is masked."""

import re

from harness.keys import MASK, without_keys
from harness.load.scenario.model import Scenario

SECRET_NAME = re.compile(r"(?i)auth|token|secret|api[-_]?key|^key$|passw|cookie|session|credential|signature")
"""Headers and query fields whose values are kept out of files and of sight."""


def masked(text: str, scenario: Scenario) -> str:
    """The file's text without the values of headers and query fields that are named like secrets."""
    for step in scenario.steps:
        for name, value in (*step.headers, *step.query):
            is_secret = SECRET_NAME.search(name) and not value.variables and not value.plain().names
            if is_secret and len(value.text) > 1:
                text = text.replace(value.text, MASK)
    return without_keys(text)
