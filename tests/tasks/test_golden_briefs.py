"""The golden briefs: enough of them, varied, and every label derivable from its brief."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from harness.errors import ConfigError
from harness.tasks.briefs import case_for, load_cases
from harness.tasks.decisions.language.figures import mentions_figure
from harness.tasks.decisions.language.wording import key_stems
from harness.tasks.registry import get_task

SCENARIOS = Path(__file__).parents[2] / "scenarios"
GOLDEN = load_cases(SCENARIOS / "briefs" / "golden.jsonl")


def test_there_are_many_varied_briefs():
    assert len(GOLDEN) >= 44
    assert len({case.archetype for case in GOLDEN}) >= 12
    assert len({case.industry for case in GOLDEN}) >= 20
    lengths = [len(case.brief) for case in GOLDEN]
    assert 30 <= min(lengths) < 100
    assert 1500 < max(lengths) <= 2000
    openings = Counter(" ".join(case.brief.split()[:3]).lower() for case in GOLDEN)
    assert max(openings.values()) <= 2, "briefs stamped from one template"
    assert sum("\n" in case.brief for case in GOLDEN) >= 8, "some briefs are notes and lists"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.case_id)
def test_each_label_is_derivable_from_its_brief(case):
    assert len(case.labels.options) >= 2
    assert case.labels.figures
    for figure in case.labels.figures:
        assert figure.lower() in case.brief.lower()
        assert mentions_figure(case.brief, figure)
    for option in case.labels.options:
        assert key_stems(option)
        assert key_stems(option) <= key_stems(case.brief)


def test_every_brief_is_a_valid_request():
    task = get_task("draft_graph")
    for case in GOLDEN:
        assert task.parse_input(case.body).brief == case.brief


def test_each_round_of_a_load_run_holds_every_case_once_and_repeats_by_seed():
    n = len(GOLDEN)
    drawn = [case_for(GOLDEN, seq, seed=7).case_id for seq in range(2 * n)]
    assert len(set(drawn[:n])) == n
    assert len(set(drawn[n:])) == n
    assert drawn[:n] != drawn[n:]
    assert drawn == [case_for(GOLDEN, seq, seed=7).case_id for seq in range(2 * n)]
    assert drawn != [case_for(GOLDEN, seq, seed=8).case_id for seq in range(2 * n)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no case"),
        ("{", "cases.jsonl:1: is not JSON"),
        ("[]", "cases.jsonl:1: is not a JSON object"),
        ('{"case_id": 3}', "case_id must be text"),
        ('{"case_id": "a", "archetype": "x", "industry": "y", "options": "no"}', "options must be a list"),
        ('{"case_id": "a", "archetype": "x", "industry": "y"}\n' * 2, "stands there twice"),
    ],
)
def test_a_bad_file_gets_one_sentence(tmp_path, text, problem):
    path = tmp_path / "cases.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        load_cases(path)


def test_a_missing_file_gets_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_cases(tmp_path / "none.jsonl")


def test_suites_point_at_files_that_are_there():
    for suite in (SCENARIOS / "suites").glob("*.yaml"):
        fields = yaml.safe_load(suite.read_text())
        assert fields["name"] == suite.stem
        assert load_cases(suite.parent / fields["dataset"])
        assert fields["strategies"]
        assert 1 <= fields["repeats"] <= 2  # a shipped suite is cheap unless more is asked for
