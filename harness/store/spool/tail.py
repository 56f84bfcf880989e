"""Reading spools: every complete line beyond what the database has, and which files are at their end."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.store.fold.stage import Stage
from harness.store.paths import Segment, StorePaths

_LONGEST_READ = 1 << 30


@dataclass(slots=True)
class Tail:
    """What was read from the spools.

    Attributes:
        stage: the lines.
        offsets: file name -> how far it is read now, only files that moved.
        spent: files that are read to their end and that nobody will append to.
        torn_bytes: bytes of unfinished last lines of dead owners; never acknowledged, left out.
        more: the byte budget ended before the files did.
        bytes: complete lines read, in bytes.
    """

    stage: Stage = field(default_factory=Stage)
    offsets: dict[str, int] = field(default_factory=dict)
    spent: list[Segment] = field(default_factory=list)
    torn_bytes: int = 0
    more: bool = False
    bytes: int = 0


def read_tail(paths: StorePaths, known: Mapping[str, int], *, max_bytes: int | None = None) -> Tail:
    """Read all spools beyond the known offsets.

    Args:
        paths: the store.
        known: file name -> offset already in the database.
        max_bytes: stop after about so many bytes; None reads all.
    """
    tail = Tail()
    segments = paths.segments()
    # Whether a file can still grow is asked before it is read: what was written in between is read then too.
    finished = _finished(paths, segments)
    for segment in segments:
        budget = None if max_bytes is None else max_bytes - tail.bytes
        if budget is not None and budget <= 0:
            tail.more = True
            break
        _read_segment(tail, segment, known.get(segment.path.name, 0), budget, segment in finished)
    return tail


def _finished(paths: StorePaths, segments: list[Segment]) -> set[Segment]:
    last = {segment.spool_id: segment for segment in segments}
    alive = {spool_id for spool_id in last if paths.owner_alive(spool_id)}
    return {s for s in segments if s.spool_id not in alive or last[s.spool_id] is not s}


def _read_segment(tail: Tail, segment: Segment, offset: int, budget: int | None, finished: bool) -> None:  # noqa: FBT001
    with segment.path.open("rb") as file:
        file.seek(offset)
        data = file.read(_LONGEST_READ if budget is None else budget)
        end = data.rfind(b"\n") + 1
        cut_by_budget = budget is not None and len(data) == budget
        if cut_by_budget and not end:  # one line longer than the budget
            data += file.readline()
            end = data.rfind(b"\n") + 1
        at_end = not file.read(1)
    if end:
        tail.stage.add(data[:end], offset, spool_id=segment.spool_id, source=segment.path.name)
        tail.offsets[segment.path.name] = offset + end
        tail.bytes += end
    if not at_end:
        tail.more = True
    elif finished:
        tail.torn_bytes += len(data) - end
        tail.spent.append(segment)
