"""A learned router: told apart from chance where the text carries it, and the same file in learning and service."""

import numpy as np
import pytest

from harness.errors import ConfigError
from harness.orchestration.router import features_of, load_router, score_of
from harness.records import dump_json
from harness.strategies.cells import Cells
from harness.strategies.learned import learn
from harness.strategies.learning import CaseFeatures, Training, cross_fitted, fitted, row_of, scored
from harness.strategies.policies import World
from tests.strategies.test_search import BOOK, STRONG, WEAK, source

pytest.importorskip("sklearn")
WORDS = ("alpha", "beta", "gamma", "delta", "table", "house", "river", "cloud")


def texts(rng, n):
    """Short and long ones of the same words."""
    return [" ".join(rng.choice(WORDS, size)) for size in rng.integers(5, 120, n)]


def told(rng, n, *, carried):
    """A world whose weak model fails on long texts, or on any; and what is known of its cases."""
    written = texts(rng, n)
    long = np.array([len(text) > 350 for text in written])
    weak = rng.random(n) < (np.where(long, 0.15, 0.85) if carried else 0.5)
    sources = (source(WEAK, 0.001, weak), source(STRONG, 0.01, rng.random(n) < 0.85))
    keys = np.arange(n, dtype=np.uint64) + np.uint64(7)
    cells = Cells(sources=sources, cases=np.arange(n), chance=rng.random(n), case_keys=keys)
    known = {int(key): CaseFeatures(text=text) for key, text in zip(keys, written, strict=True)}
    return World(cells, BOOK), known


def advantage(found):
    control = found.mixes[found.best].control
    return control.beaten


def test_a_router_is_better_than_chance_where_length_tells_and_only_there():
    rng = np.random.default_rng(3)
    assert advantage(learnt(told(rng, 600, carried=True)))
    alarms = sum(advantage(learnt(told(rng, 200, carried=False))) for _ in range(12))
    assert alarms <= 2


def learnt(pair):
    world, known = pair
    return learn(world, (WEAK, STRONG), known)


def test_no_case_is_scored_by_a_router_that_saw_it():
    rng = np.random.default_rng(4)
    features = [CaseFeatures(text=f"case number{k} {WORDS[k % 8]}") for k in range(40)]
    counts = np.eye(3)[rng.integers(0, 3, 40)]
    own = cross_fitted(Training(features=features, counts=counts), WEAK, STRONG)
    turned = counts.copy()
    turned[5] = counts[5][::-1]  # case 5 says the opposite: its own score must not move
    again = cross_fitted(Training(features=features, counts=turned), WEAK, STRONG)
    same_fold = np.arange(40) % 5 == 0
    assert own[same_fold].tolist() == again[same_fold].tolist()
    assert own[~same_fold].tolist() != again[~same_fold].tolist()


def test_the_file_scores_as_the_regression_does(tmp_path):
    sklearn = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(5)
    features = [CaseFeatures(text=text, tags={"plan": "free"}) for text in texts(rng, 60)]
    counts = np.eye(3)[(rng.random(60) * 3).astype(int)]
    file = fitted(Training(features=features, counts=counts), WEAK, STRONG)
    path = tmp_path / "router.json"
    path.write_bytes(dump_json(file.model_dump(by_alias=True)))
    router = load_router(path)
    own = [router.score(one.text, one.tags) for one in features]
    assert own == pytest.approx(scored(file, features).tolist())
    # the same features given to the library itself
    names = sorted({name for one in features for name in row_of(one, file.words)})
    table = np.array([[row_of(one, file.words).get(name, 0.0) for name in names] for one in features])
    word = np.array([name.startswith("word.") for name in names])
    scale = np.where(word | (table.std(axis=0) < 1e-9), 1.0, table.std(axis=0))
    table = (table - np.where(word, 0.0, table.mean(axis=0))) / scale
    model = sklearn.LogisticRegression(C=1.0, max_iter=1000).fit(table, counts.argmax(axis=1) - 1)
    assert own == pytest.approx((model.predict_proba(table) @ model.classes_).tolist(), abs=1e-3)


def test_models_that_always_answer_alike_teach_nothing():
    counts = np.tile([0.0, 1.0, 0.0], (30, 1))
    features = [CaseFeatures(text=str(k)) for k in range(30)]
    assert fitted(Training(features=features, counts=counts), WEAK, STRONG) is None


def test_features_by_hand():
    found = features_of("Die 3 Wege und die 12,5% nicht:\n und", {"plan": "free"}, {"wege": 2.0, "die": 1.0})
    assert found["figures"] == pytest.approx(np.log1p(2))
    assert found["lines"] == pytest.approx(np.log1p(1))
    assert found["language=de"] == found["tag.plan=free"] == 1.0
    assert found["word.wege"] == pytest.approx(2 / np.sqrt(8))
    assert found["word.die"] == pytest.approx(2 / np.sqrt(8))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"weights": [{}]}, "weights"),
        ({"weights": [{}, {}, {}]}, "equally many"),
        ({"intercepts": [0.0, float("nan")]}, "router.json"),
        ({"schema": "other"}, "schema"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_router_file_is_one_sentence(tmp_path, change, problem):
    content = {
        "schema": "harness.router.v1",
        "weak": "x/a",
        "strong": "x/b",
        "trained_on": "",
        "words": {},
        "classes": [-1, 1],
        "weights": [{}, {}],
        "intercepts": [0.0, 0.0],
    } | change
    path = tmp_path / "router.json"
    path.write_text(str(content).replace("'", '"').replace("nan", "NaN"))
    with pytest.raises(ConfigError, match=problem) as caught:
        load_router(path)
    assert "\n" not in str(caught.value)


def test_a_score_is_an_expected_class():
    file = fitted(
        Training(
            features=[CaseFeatures(text="a") for _ in range(40)],
            counts=np.array([[0.0, 3.0, 1.0]] * 40),
        ),
        WEAK,
        STRONG,
    )
    assert score_of(file, features_of("a", {}, {})) == pytest.approx(0.25, abs=0.01)
