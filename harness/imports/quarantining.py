"""What an import sets aside: every bad row is kept with its place and reason, and the first few are shown."""

from harness.store.fold.stage import Quarantined

MOST_SHOWN = 5
_MOST_KEPT_CHARS = 10_000


class SetAside:
    """Rows of one file that could not be taken.

    Attributes:
        rows: for the table `quarantine`.
        problems: of the first few, as people read them.
    """

    def __init__(self, source: str, type_name: str) -> None:
        self.rows: list[Quarantined] = []
        self.problems: list[str] = []
        self._source = source
        self._type_name = type_name

    def add(self, number: int, problem: str, text: str) -> None:
        """Set one aside.

        Args:
            number: its line or place in the file, from 1.
            problem: what is wrong with it, as a clause.
            text: as it stood.
        """
        told = f"line {number}: {problem}"
        if len(self.problems) < MOST_SHOWN:
            self.problems.append(told)
        self.rows.append(
            Quarantined(
                source=self._source,
                byte_offset=None,
                type_name=self._type_name,
                problem=told,
                body=text[:_MOST_KEPT_CHARS],
            )
        )
