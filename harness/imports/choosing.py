"""Which reader a file gets: a map, a named format, or the one that recognises its first objects."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from harness.errors import UsageError
from harness.imports.explaining import explained
from harness.imports.formats import Reader, named, recognised
from harness.imports.mapping import MappedReader, parsed_map
from harness.imports.sources import is_table, lines_of, table_lines
from harness.store.log_text import plain_text

_LOOKED_AT = 50
_HEAD_BYTES = 4 * 1024 * 1024
_FIRST_LINE_BYTES = 64 * 1024 * 1024


def chosen_reader(
    source: Path, opened: Path | None, *, name: str | None, maps: Sequence[str]
) -> Reader | None:
    """The reader of a file; None for our own events, and for what nobody recognises.

    Args:
        source: the file.
        opened: where it can be read, when no longer there.
        name: of the format, where it was said.
        maps: `ours=theirs` each.

    Raises:
        UsageError: no such format, a wrong map, or a table that nobody recognises.
    """
    if maps:
        if name is not None:
            raise UsageError("give --format or --map, not both")
        return MappedReader(parsed_map(maps))
    if name is not None:
        return named(name)
    table = is_table(source)
    found = recognised(_first_rows(source) if table else _first_objects(opened or source, source))
    if found is None and table:
        raise UsageError(f"{source}: {explained(source).sentence()}")
    return found


def _first_rows(source: Path) -> list[dict[str, object]]:
    return [value for line in islice(table_lines(source), _LOOKED_AT) for value in line.values]


def _first_objects(opened: Path, source: Path) -> list[dict[str, object]]:
    with plain_text(opened, source) as plain, plain.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        if b"\n" not in head:  # a whole export in one line
            head += file.read(_FIRST_LINE_BYTES)
    whole = head[: head.rfind(b"\n") + 1] or head
    return [value for line in islice(lines_of(whole, 0), _LOOKED_AT) for value in line.values]
