"""Every way a request can fail has a status and a sentence for its client."""

import pytest

from harness.records import ErrorKind
from harness.service.problems import upstream_problem


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_every_kind_of_failure_is_told_in_our_own_sentence(kind: ErrorKind) -> None:
    problem = upstream_problem(kind, "said inside", None)
    assert 429 <= problem.status <= 504
    assert problem.details["error_kind"] == kind
    assert problem.message
    assert (problem.message == "said inside") == (kind is ErrorKind.COST_GUARD)
