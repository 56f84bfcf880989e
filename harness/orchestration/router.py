"""A learned router as the service reads it: from a request's text and tags to how much a better model helps.

The file holds plain numbers; no learning library is needed to run it. `harness strategies learn` writes it.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.inputs import checked, load_json

MOST_BYTES = 8 * 1024 * 1024
MOST_READ_CHARS = 100_000
"""Text beyond this decides nothing: a router must not cost a request its time."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_FIGURE = re.compile(r"\d[\d.,]*")
_LANGUAGES: Mapping[str, frozenset[str]] = {
    "en": frozenset(["the", "and", "of", "to", "is", "that", "with", "for", "are", "this"]),
    "de": frozenset(["der", "die", "und", "das", "ist", "nicht", "mit", "ein", "eine", "für"]),
    "fr": frozenset(["le", "la", "les", "et", "des", "est", "une", "pour", "dans", "que"]),
    "es": frozenset(["el", "los", "las", "que", "una", "por", "con", "para", "del", "es"]),
    "it": frozenset(["il", "che", "di", "per", "una", "con", "non", "sono", "della", "gli"]),
    "nl": frozenset(["het", "een", "van", "en", "niet", "dat", "zijn", "met", "voor", "op"]),
    "pt": frozenset(["os", "uma", "não", "com", "para", "que", "do", "da", "em", "por"]),
}

Number = Annotated[float, Field(allow_inf_nan=False)]


class RouterFile(BaseModel):
    """The file as written.

    Attributes:
        weak, strong: `provider/model` of the two it chooses between.
        words: inverse document frequency of each word it knows.
        classes: what each row of weights stands for: the strong model is worse, the same, better.
        weights: by class, by feature.
        intercepts: by class.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    schema_name: Literal["harness.router.v1"] = Field(alias="schema")
    weak: str = Field(min_length=1, max_length=300)
    strong: str = Field(min_length=1, max_length=300)
    trained_on: str = Field(max_length=1000)
    words: dict[str, Number] = Field(max_length=20_000)
    classes: list[Literal[-1, 0, 1]] = Field(min_length=2, max_length=3)
    weights: list[dict[str, Number]] = Field(min_length=2, max_length=3)
    intercepts: list[Number] = Field(min_length=2, max_length=3)

    @model_validator(mode="after")
    def _one_row_a_class(self) -> "RouterFile":
        if not len(self.classes) == len(self.weights) == len(self.intercepts):
            raise ValueError("classes, weights and intercepts must be equally many")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """Scores a request: how much likelier the strong model is to help than to harm, -1..1."""

    file: RouterFile

    def score(self, text: str, tags: Mapping[str, str] | None = None) -> float:
        """The expected gain of asking the strong model.

        Args:
            text: what the model is asked.
            tags: of the request.
        """
        return score_of(self.file, features_of(text, tags or {}, self.file.words))


def score_of(file: RouterFile, features: Mapping[str, float]) -> float:
    """The expected class: softmax over linear functions of the features."""
    raised = [
        bias + sum(own.get(name, 0.0) * value for name, value in features.items())
        for own, bias in zip(file.weights, file.intercepts, strict=True)
    ]
    top = max(raised)
    chances = [math.exp(value - top) for value in raised]
    return sum(c * p for c, p in zip(file.classes, chances, strict=True)) / sum(chances)


def load_router(path: Path) -> Router:
    """The router of a file.

    Raises:
        ConfigError: unreadable, or no router; names the file and the field.
    """
    file = checked(RouterFile, load_json(path, MOST_BYTES), str(path))
    return Router(file=file)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without figures."""
    return _WORD.findall(text[:MOST_READ_CHARS].lower())


def features_of(text: str, tags: Mapping[str, str], idf: Mapping[str, float]) -> dict[str, float]:
    """What the router looks at: length, figures, lines, script, language, tags, and TF-IDF of known words.

    Args:
        text: what the model is asked.
        tags: of the request.
        idf: weight of each known word; the weighted counts are scaled to length 1, as scikit-learn's
            TfidfVectorizer does.
    """
    text = text[:MOST_READ_CHARS]
    words = words_of(text)
    found = {
        "length": math.log1p(len(text)),
        "figures": math.log1p(len(_FIGURE.findall(text))),
        "lines": math.log1p(text.count("\n")),
        "other_script": sum(not letter.isascii() for letter in text) / max(1, len(text)),
        f"language={_language(words)}": 1.0,
    }
    found.update((f"tag.{name}={value}", 1.0) for name, value in tags.items())
    found.update(_weighted(words, idf))
    return found


def _language(words: Iterable[str]) -> str:
    counts = dict.fromkeys(_LANGUAGES, 0)
    for word in words:
        for name, own in _LANGUAGES.items():
            counts[name] += word in own
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else "other"


def _weighted(words: Iterable[str], idf: Mapping[str, float]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for word in words:
        if word in idf:
            counts[word] = counts.get(word, 0) + 1
    raised = {word: n * idf[word] for word, n in counts.items()}
    norm = math.sqrt(sum(value * value for value in raised.values()))
    return {f"word.{word}": value / norm for word, value in raised.items()} if norm else {}
