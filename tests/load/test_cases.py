"""The order of cases: worked out once a round, whatever their number."""

import json
import sys

from harness.load.cases import MAX_ROUNDS, CaseBook
from harness.tasks.briefs import case_for, load_cases
from tests.load.asking import shipped


def written(folder, count):
    path = folder / f"{count}.jsonl"
    lines = (
        json.dumps({"case_id": f"c-{number}", "brief": f"Shall we? {number}"}) for number in range(count)
    )
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def calls_for(path, *, requests):
    """How many functions, ours and built-in, a book's making calls."""
    made = 0

    def count(_frame, event, _arg):
        nonlocal made
        made += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        book = CaseBook(path, shipped("baseline"), seed=0, requests=requests)
    finally:
        sys.setprofile(None)
    return made, book


def test_a_case_costs_the_same_among_many_as_among_few(tmp_path):
    for requests in (1, None):
        few, _ = calls_for(written(tmp_path, 60), requests=requests)
        many, _ = calls_for(written(tmp_path, 3000), requests=requests)
        assert many / 3000 <= 1.1 * few / 60


def test_a_book_holds_the_order_that_is_asked_for_case_by_case(tmp_path):
    path = written(tmp_path, 7)
    cases = load_cases(path)
    book = CaseBook(path, shipped("baseline"), seed=3, requests=20)
    for seq in range(21):
        case = case_for(cases, seq, seed=3)
        parcel = book[seq]
        assert (parcel.case.case_id, parcel.values["brief"]) == (case.case_id, case.brief)


def test_a_run_without_an_end_goes_through_its_orders_again(tmp_path):
    book = CaseBook(written(tmp_path, 5), shipped("baseline"), seed=0, requests=None)
    told = [book[seq].case.case_id for seq in range(2 * MAX_ROUNDS * 5)]
    assert told[: MAX_ROUNDS * 5] == told[MAX_ROUNDS * 5 :]
    assert told[:5] != told[5:10]
