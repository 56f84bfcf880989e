"""What an answer is compared with: said in the suite, by the case, or in a column of the data set."""

from dataclasses import dataclass
from typing import Any

from harness.errors import BadOutputError
from harness.inputs import ABSENT, value_named
from harness.tasks.briefs import BriefCase
from harness.tasks.grading import GradedAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Where a grader's expected value stands.

    Attributes:
        grader: its name, which is the key in a case's own `expected` object.
        given: said in the suite, the same for every case; None leaves it to the case.
        column: of the data set, where the case's object says nothing; None for none.
    """

    grader: str
    given: Any | None = None
    column: str | None = None

    def found_in(self, case: BriefCase) -> Any:
        """The value for a case, `ABSENT` where nothing says it."""
        if self.given is not None:
            return self.given
        if self.grader in case.expected:
            return case.expected[self.grader]
        return ABSENT if self.column is None else value_named(case.columns, self.column)

    def of(self, answer: GradedAnswer) -> Any:
        """The value for an answer's case.

        Raises:
            BadOutputError: the case says nothing of what is expected: the answer stays ungraded.
        """
        value = self.found_in(answer.case)
        if value is ABSENT:
            raise BadOutputError(f"case '{answer.case.case_id}' expects nothing under '{self.grader}'")
        return value
