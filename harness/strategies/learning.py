"""Learning which requests need the strong model: trained on some cases, judged on others it never saw."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import UsageError
from harness.orchestration.router import RouterFile, features_of, score_of, words_of
from harness.pricing.breakdown import ModelRef
from harness.strategies.cells import Cells, Column

FOLDS = 5
MOST_WORDS = 300
LEAST_CASES_A_WORD = 3
LEAST_SPREAD = 1e-9
"""A feature that varies less is the same for all, but for rounding."""

LOOSENESS = 1.0
"""Inverse strength of the ridge penalty (scikit-learn's C)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFeatures:
    """What is known of one case before anybody is asked.

    Attributes:
        text: what the models are asked.
        tags: of the request.
        numbers: columns that the user brought, embeddings among them; a service does not know them.
    """

    text: str
    tags: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """Cases with how often the strong model was worse, equal and better.

    Attributes:
        counts: shape (cases, 3).
    """

    features: Sequence[CaseFeatures]
    counts: NDArray[np.float64]

    def of(self, places: NDArray[Any]) -> "Training":
        """Some of the cases."""
        return Training(features=[self.features[place] for place in places], counts=self.counts[places])


def training_of(
    cells: Cells, weak: ModelRef, strong: ModelRef, known: Mapping[int, CaseFeatures]
) -> Training:
    """The cases of cells in the order of their numbers; units whose grades are unknown count for nothing.

    Args:
        cells: over which both models are sources.
        weak: the model asked unless the router says otherwise.
        strong: the other.
        known: features by case key, one for every case.
    """
    by_ref = {source.ref: source for source in cells.sources}
    gain = by_ref[strong].high - by_ref[weak].high
    n_cases = int(cells.cases.max(initial=-1)) + 1
    counts = np.zeros((n_cases, 3))
    told = ~np.isnan(gain)
    np.add.at(counts, (cells.cases[told], (np.sign(gain[told]) + 1).astype(np.intp)), 1.0)
    keys = np.zeros(n_cases, np.uint64)
    keys[cells.cases] = cells.case_keys
    return Training(features=[known[key] for key in keys.tolist()], counts=counts)


def fitted(training: Training, weak: ModelRef, strong: ModelRef) -> RouterFile | None:
    """A multinomial logistic regression of who is better, as a file.

    Returns:
        None where both models answered alike throughout: nothing can be learnt.

    Raises:
        UsageError: scikit-learn is not installed.
    """
    classes = [k - 1 for k in range(3) if training.counts[:, k].sum() > 0]
    if len(classes) < 2:
        return None
    idf = _idf([own.text for own in training.features])
    rows = [row_of(own, idf) for own in training.features]
    names = sorted({name for row in rows for name in row})
    place = {name: k for k, name in enumerate(names)}
    table = np.zeros((len(rows), len(names)))
    for at, row in enumerate(rows):
        for name, value in row.items():
            table[at, place[name]] = value
    # words are scaled by TF-IDF already; what is counted or measured gets mean 0 and variance 1
    word = np.array([name.startswith("word.") for name in names])
    mean = np.where(word, 0.0, table.mean(axis=0))
    spread = table.std(axis=0)
    scale = np.where(word | (spread < LEAST_SPREAD), 1.0, spread)
    own, label = np.nonzero(training.counts)
    model = _regression()
    model.fit((table[own] - mean) / scale, label - 1, sample_weight=training.counts[own, label])
    weights, bias = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(classes) == 2:  # two classes share one row
        weights, bias = np.vstack([0 * weights, weights]), np.concatenate([[0.0], bias])
    bias = bias - (weights * mean / scale).sum(axis=1)
    return RouterFile.model_validate(
        {
            "schema": "harness.router.v1",
            "weak": str(weak),
            "strong": str(strong),
            "trained_on": f"{len(rows)} cases",
            "words": idf,
            "classes": classes,
            "weights": [
                {name: float(w) for name, w in zip(names, each, strict=True) if w} for each in weights / scale
            ],
            "intercepts": [float(one) for one in bias],
        }
    )


def row_of(own: CaseFeatures, idf: Mapping[str, float]) -> dict[str, float]:
    """All that a case is judged by."""
    numbers = {f"column.{name}": value for name, value in own.numbers.items()}
    return features_of(own.text, own.tags, idf) | numbers


def scored(file: RouterFile | None, features: Sequence[CaseFeatures]) -> Column:
    """The router's score of each case; 0 where nothing was learnt."""
    if file is None:
        return np.zeros(len(features))
    return np.array([score_of(file, row_of(own, file.words)) for own in features])


def cross_fitted(training: Training, weak: ModelRef, strong: ModelRef) -> Column:
    """Scores of every case by a router that was trained on the other folds."""
    fold = np.arange(len(training.features)) % FOLDS
    scores = np.zeros(len(training.features))
    for number in range(FOLDS):
        own = np.flatnonzero(fold == number)
        rest = training.of(np.flatnonzero(fold != number))
        scores[own] = scored(fitted(rest, weak, strong), [training.features[place] for place in own.tolist()])
    return scores


def _idf(texts: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency of the words that enough cases use, smoothed as scikit-learn's."""
    used = Counter(word for text in texts for word in set(words_of(text)))
    common = sorted(used.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_WORDS]
    n = len(texts)
    return {
        word: float(np.log((1 + n) / (1 + cases)) + 1.0)
        for word, cases in common
        if LEAST_CASES_A_WORD <= cases < n
    }


def _regression() -> Any:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - heavy, and an extra
    except ModuleNotFoundError as error:
        raise UsageError("learning a router needs scikit-learn: pip install 'harness[routing]'") from error
    return LogisticRegression(C=LOOSENESS, max_iter=1000)
