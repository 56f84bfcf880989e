"""Data sets as JSONL, YAML and CSV: the same cases, the same checks, one sentence for what is wrong."""

import json
from pathlib import Path

import pytest

from harness.cli.app import main
from harness.errors import ConfigError
from harness.evaluation import load_suite
from harness.orchestration.datasets import load_dataset
from harness.tasks.base import Labels
from harness.tasks.registry import get_task

CASES = [
    {
        "case_id": "seat",
        "archetype": "pricing",
        "industry": "software",
        "brief": "Raise the seat from $12 to $15, or keep it?\nChurn is 2.1%.",
        "options": ["raise the seat", "keep it"],
        "figures": ["$12", "2.1%"],
    },
    {"case_id": "=cmd|' /C calc'!A0", "archetype": "@x", "industry": "-y", "brief": '=HYPERLINK("http://x")'},
]
YAML = """- case_id: seat
  archetype: pricing
  industry: software
  brief: "Raise the seat from $12 to $15, or keep it?\\nChurn is 2.1%."
  options: [raise the seat, keep it]
  figures: ["$12", "2.1%"]
- case_id: "=cmd|' /C calc'!A0"
  archetype: "@x"
  industry: -y
  brief: =HYPERLINK("http://x")
"""
CSV = """case_id,archetype,industry,brief,options,figures
seat,pricing,software,"Raise the seat from $12 to $15, or keep it?
Churn is 2.1%.",raise the seat | keep it,"[""$12"", ""2.1%""]"
=cmd|' /C calc'!A0,@x,-y,"=HYPERLINK(""http://x"")",,
"""


def written(folder: Path, name: str, text: str, *, bom: bool = False) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8-sig" if bom else "utf-8", newline="")
    return path


@pytest.mark.parametrize("bom", [False, True])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_three_formats_hold_the_same_cases(tmp_path, bom, ends):
    lines = "".join(json.dumps(case) + "\n" for case in CASES)
    sets = [
        load_dataset(written(tmp_path, "cases.jsonl", lines, bom=bom)),
        load_dataset(written(tmp_path, "cases.yaml", YAML.replace("\n", ends), bom=bom)),
        load_dataset(written(tmp_path, "cases.CSV", CSV, bom=bom)),
    ]
    assert sets[0] == sets[1] == sets[2]
    assert (
        [case.body for case in sets[0]] == [case.body for case in sets[1]] == [case.body for case in sets[2]]
    )
    assert sets[0][0].labels == Labels(options=("raise the seat", "keep it"), figures=("$12", "2.1%"))
    assert sets[0][1].labels is None


def test_a_csv_row_makes_a_request_of_either_task(tmp_path):
    path = written(
        tmp_path,
        "cases.csv",
        "case_id,archetype,industry,goal,constraints,figures\n"
        "a,x,y,Win members back,spend at most $6000|no price cuts,$6000\n",
    )
    (case,) = load_dataset(path)
    assert case.body == {"goal": "Win members back", "constraints": ["spend at most $6000", "no price cuts"]}
    assert get_task("suggest_options").parse_input(case.body)


HEAD = "case_id,archetype,industry,brief,options\n"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c.csv", "", "c.csv: holds no case"),
        ("c.csv", HEAD, "c.csv: holds no case"),
        ("c.csv", HEAD + "a,b,c\n", "c.csv:2: has 3 cells, the header 5"),
        ("c.csv", HEAD + "a,b,c,d,e,f\n", "c.csv:2: has 6 cells, the header 5"),
        ("c.csv", HEAD + '\na,b,c,"d\ne",\nx,,c,d\n', "c.csv:5: has 4 cells, the header 5"),
        ("c.csv", HEAD + 'a,b,c,"d\n', "c.csv:2: is not CSV that can be read"),
        ("c.csv", HEAD + 'a,b,c,d,"[1]"\n', "c.csv:2: options must be a list of texts"),
        ("c.csv", HEAD + "a,b,c,d,[x\n", "c.csv:2: options begins like JSON, but is not"),
        ("c.csv", HEAD + "a,b,c,d,\n" * 2, "case_id 'a' stands there twice"),
        ("c.csv", "case_id,case_id\n", "c.csv:1: column 'case_id' stands twice"),
        ("c.csv", "case_id,\n", "c.csv:1: a column of the header has no name"),
        ("c.csv", HEAD + f"a,b,c,{'d' * 100_001},\n", "c.csv:2: brief is longer than 100000"),
        ("c.yaml", "", "c.yaml: holds no case"),
        ("c.yaml", "case_id: a\n", "c.yaml: is not a list of cases"),
        ("c.yaml", "- a\n", "c.yaml:1: is not a case with named fields"),
        ("c.yml", "- case_id: a\n  archetype: b\n- case_id: [", "c.yml:3: is not YAML that can be read"),
        ("c.yaml", "\n- case_id: a\n  archetype: 3\n", "c.yaml:2: archetype must be text"),
        ("c.yaml", "- &x {case_id: a}\n- *x\n", "c.yaml:"),
        ("c.yaml", "- {case_id: a, case_id: b}\n", "c.yaml:1: is not YAML that can be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_its_place(tmp_path, name, text, problem):
    with pytest.raises(ConfigError) as caught:
        load_dataset(written(tmp_path, name, text))
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["c.csv", "c.yaml", "c.jsonl"])
def test_what_is_no_text_or_not_there_is_one_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00case")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_dataset(tmp_path / name)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_dataset(tmp_path / f"none-{name}")


@pytest.mark.parametrize("name", ["cases.yaml", "cases.csv"])
def test_a_suite_may_name_any_of_them(tmp_path, name):
    written(tmp_path, name, YAML if name.endswith("yaml") else CSV)
    suite = written(
        tmp_path, "suite.yaml", f"name: mine\ntask: draft_graph\ndataset: {name}\nstrategies: [hybrid]\n"
    )
    assert [case.case_id for case in load_suite(str(suite)).cases] == [case["case_id"] for case in CASES]


def test_a_baseline_refuses_a_wrong_set_before_it_starts_anything(tmp_path, monkeypatch, capsys):
    path = written(tmp_path, "cases.csv", "case_id,archetype,industry\na,b\n")
    command = ["harness", "baseline", "--cases", str(path), "--store", str(tmp_path / "store")]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert f"{path}:2: has 2 cells, the header 3" in capsys.readouterr().err
