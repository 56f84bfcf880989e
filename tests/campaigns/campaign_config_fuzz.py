"""Every loader of user-supplied settings under thousands of valid, altered, damaged and random files.

Valid: every key must have its effect. Altered: a key added, misspelt or lost, a value of another kind; refused, or read
as written. Damaged: bytes flipped, cut, inserted, repeated, truncated, with NUL, invalid UTF-8, deep nesting and huge
numbers among them. Random: any bytes. A refusal is one HarnessError: one bounded, printable line that names the file,
variable or field, and never shows the key that was planted in the file.

Run: python -m tests.campaigns.campaign_config_fuzz
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings

from tests.campaigns.campaign_spool_fuzz import thorough
from tests.inputs.config_cases import LOADERS, Loader, Verdict, altered, anything, edits, judge, rendered
from tests.store.spool_cases import damaged

VALID, ALTERED, DAMAGED, RANDOM = 200, 400, 300, 100
Counts = Counter[Verdict]


def fuzz(loader: Loader, folder: Path, counts: Counts, tell: Callable[[str], None]) -> None:
    """All four kinds of files for one loader, each judged and counted."""

    def keep(verdict: Verdict, why: str) -> None:
        counts[verdict] += 1
        if verdict not in (Verdict.ACCEPTED, Verdict.REFUSED):
            tell(f"{loader.name}: {verdict}: {why[:600]}")

    @settings(thorough, max_examples=VALID)
    @given(document=loader.documents)
    def valid(document: object) -> None:
        verdict, why = judge(loader, folder, loader.render(document), document)
        refused = verdict is Verdict.REFUSED  # a valid file must not be
        keep(Verdict.DROPPED if refused else verdict, why)

    @settings(thorough, max_examples=ALTERED)
    @given(document=altered(loader))
    def changed(document: object) -> None:
        content = rendered(loader, document)
        if content is not None:
            keep(*judge(loader, folder, content, document))

    @settings(thorough, max_examples=DAMAGED)
    @given(document=loader.documents, changes=edits)
    def broken(document: object, changes: list[tuple[str, float, bytes]]) -> None:
        keep(*judge(loader, folder, damaged([loader.render(document)], changes)))

    @settings(thorough, max_examples=RANDOM)
    @given(content=anything(loader))
    def random(content: bytes) -> None:
        keep(*judge(loader, folder, content))

    for campaign in (valid, changed, broken, random):
        campaign()


def main() -> int:
    """Run every loader and print the table; 1 when anything crashed, was dropped or was told unclearly."""
    began = time.monotonic()
    table: dict[str, Counts] = {}
    found: list[str] = []
    wanted = [loader for loader in LOADERS if not sys.argv[1:] or loader.name in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="harness-config-fuzz-") as folder:
        for loader in wanted:
            fuzz(loader, Path(folder), table.setdefault(loader.name, Counter()), found.append)
    print("# Loaders of settings\n\n" + (__doc__ or "").split("\n\nRun:")[0])
    print(
        "\n| loader | cases | accepted | refused | crashed | silent drops | unclear |\n|---|---|---|---|---|---|---|"
    )
    total: Counts = Counter()
    for name, counts in table.items():
        print(_line(name, counts))
        total += counts
    print(_line("all", total))
    print(f"\n{time.monotonic() - began:.0f} seconds.")
    for finding in found[:40]:
        print(finding, file=sys.stderr)
    return 1 if found else 0


def _line(name: str, counts: Counts) -> str:
    cells = [sum(counts.values()), *(counts[verdict] for verdict in Verdict)]
    return f"| {name} | {' | '.join(f'{cell:,}' for cell in cells)} |"


if __name__ == "__main__":
    sys.exit(main())
