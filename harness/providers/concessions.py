"""Doing without what an endpoint refuses: remembered, so that it is asked once and not in every attempt.

Endpoints that call themselves compatible lack one field or another. A 400 that names a field we could do
without costs nothing: the same attempt goes out again without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.providers.capabilities import Structured
from harness.records import dump_json

REFUSING_STATUS = (400, 415, 422, 501)
MAX_RESENDS = 6
"""More than there are features to give up; a bound all the same."""

_EXCERPT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """Something a request can do without.

    Attributes:
        name: what is remembered.
        named: the refusal speaks of one of these, in lower case.
        unless: words that make it a complaint about our content, which doing without would only hide.
        only_with: where not empty, one of these must stand there as well.
    """

    name: str
    named: tuple[str, ...]
    unless: tuple[str, ...] = ()
    only_with: tuple[str, ...] = ()

    def is_refused_in(self, text: str) -> bool:
        """Whether a refusal, in lower case, is about this feature."""
        return (
            any(word in text for word in self.named)
            and not any(word in text for word in self.unless)
            and (not self.only_with or any(word in text for word in self.only_with))
        )


class Concessions:
    """What one adapter has learnt to do without."""

    def __init__(self) -> None:
        self._given_up: set[str] = set()

    def keeps(self, feature: str) -> bool:
        """Whether a feature is still worth sending."""
        return feature not in self._given_up

    def strongest(self, start: Structured, ladder: Iterable[Structured]) -> Structured:
        """The strongest way to hold the model to a schema, from `start` down, that was not refused."""
        steps = list(ladder)
        allowed = [step for step in steps[steps.index(start) :] if step.value not in self._given_up]
        return allowed[0] if allowed else Structured.FENCED

    def learn(self, body: object, sent: Iterable[Feature]) -> bool:
        """Give up what a refusal names among what was sent.

        Args:
            body: the refusal's decoded body.
            sent: the features in the refused request, the likeliest culprit first.

        Returns:
            Whether anything was learnt: then the request is worth sending again.
        """
        text = _searchable(body)
        for feature in sent:
            if feature.is_refused_in(text):
                self._given_up.add(feature.name)
                return True
        return False


def _searchable(body: object) -> str:
    text = body if isinstance(body, str) else dump_json(body).decode(errors="replace")
    return text[:_EXCERPT].lower()
