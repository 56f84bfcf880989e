"""What makes an answer a good one, and a poll done: a pointer that exists, equals or matches."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from harness.inputs import ABSENT
from harness.load.scenario.places import Place

Lookup = Callable[[Place], Any]
"""What an answer has at a place; `ABSENT` where it has nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """All of these must hold.

    Attributes:
        exists: something stands there, and it is not null.
        equals: exactly this JSON value stands there.
        matches: a text (or a value's JSON) in which the expression is found stands there.
    """

    exists: tuple[Place, ...] = ()
    equals: tuple[tuple[Place, Any], ...] = ()
    matches: tuple[tuple[Place, re.Pattern[str]], ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place that is looked at."""
        return (*self.exists, *(place for place, _ in self.equals), *(place for place, _ in self.matches))

    def broken(self, at: Lookup) -> str | None:
        """A clause about the first that does not hold; None when all do. Values are not quoted."""
        for place in self.exists:
            if at(place) in (ABSENT, None):
                return f"the answer has no {place.text}"
        for place, wanted in self.equals:
            found = at(place)
            if found is ABSENT:
                return f"the answer has no {place.text}"
            if not _same(found, wanted):
                return f"{place.text} is not {orjson.dumps(wanted).decode()[:60]}"
        for place, pattern in self.matches:
            found = at(place)
            if found is ABSENT:
                return f"the answer has no {place.text}"
            if not pattern.search(found if isinstance(found, str) else orjson.dumps(found).decode()):
                return f"{place.text} does not match {pattern.pattern[:60]}"
        return None


NO_CONDITIONS = Conditions()
"""Nothing has to hold."""


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON: true is no 1."""
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)
