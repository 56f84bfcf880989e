"""Spool lines read back: which are whole, of which type, and where their JSON lies.

All lines of a block at once, because an ingest reads a million of them: only the checksums are a loop.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from harness.store.spool.arrays import integers, texts_between
from harness.store.spool.codec import RECORD_TYPES

TYPES = tuple(RECORD_TYPES)
_CHECKSUM_CHARS = 8
_TYPE_START = _CHECKSUM_CHARS + 1
_HEX = np.full(256, 255, np.uint8)
_HEX[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
_WEIGHTS = 16 ** np.arange(_CHECKSUM_CHARS - 1, -1, -1, dtype=np.int64)

Positions = npt.NDArray[np.int64]


class SpoolLine(NamedTuple):
    """One complete line: where it stands, and what it holds or why it holds nothing.

    `body` is the JSON of a good line and the whole raw line of a bad one; `problem` is None for a good line.
    """

    offset: int
    type_name: str
    body: bytes
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The complete lines of a piece of spool. All positions are in `data`, one a line.

    Attributes:
        data: bytes from a line's start; what follows the last newline is not touched.
        starts: where each line starts.
        bodies: where its JSON starts; the line's own start where it is bad.
        ends: where its newline stands.
        kinds: index into `TYPES`; -1 for a line whose checksum or type is wrong.
    """

    data: bytes
    starts: Positions
    bodies: Positions
    ends: Positions
    kinds: Positions

    def line(self, number: int, base_offset: int = 0) -> SpoolLine:
        """One line by its number; `base_offset` is the file offset of `data[0]`."""
        start, end, kind = int(self.starts[number]), int(self.ends[number]), int(self.kinds[number])
        if kind >= 0:
            body = self.data[int(self.bodies[number]) : end]
            return SpoolLine(base_offset + start, TYPES[kind], body, None)
        return _bad_line(self.data[start:end], base_offset + start)

    def json_texts(self, numbers: Positions) -> pa.Array:
        """The JSON of some good lines as an Arrow array of strings, gathered in one go."""
        pieces = np.empty(2 * len(self.starts) + 1, np.int64)  # what precedes a body, the body, and so on
        pieces[0] = 0
        pieces[1::2] = self.bodies
        pieces[2::2] = self.ends
        return texts_between(pieces, self.data).take(integers(2 * numbers + 1))


def read_block(data: bytes) -> Block:
    """Find and check every complete line."""
    raw = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(raw == ord("\n")).astype(np.int64)
    starts = np.zeros_like(ends)
    starts[1:] = ends[:-1] + 1
    kinds = np.full(len(ends), -1, np.int64)
    bodies = starts.copy()
    whole = np.flatnonzero((ends - starts > _TYPE_START) & _checked(data, raw, starts, ends))
    longest = max(map(len, TYPES)) + 1
    heads = _gather(raw, starts[whole] + _TYPE_START, longest)
    for kind, name in enumerate(TYPES):
        prefix = np.frombuffer(name.encode() + b" ", np.uint8)
        found = whole[(heads[:, : len(prefix)] == prefix).all(axis=1)]
        kinds[found] = kind
        bodies[found] = starts[found] + _TYPE_START + len(prefix)
    return Block(data=data, starts=starts, bodies=bodies, ends=ends, kinds=kinds)


def parse_lines(data: bytes, base_offset: int = 0) -> Iterator[SpoolLine]:
    """Every complete line of a piece of spool, in order; an unfinished last line is not touched.

    Args:
        data: bytes from a line's start.
        base_offset: the file offset of `data[0]`.
    """
    block = read_block(data)
    for number in range(len(block.starts)):
        yield block.line(number, base_offset)


def _checked(
    data: bytes, raw: npt.NDArray[np.uint8], starts: Positions, ends: Positions
) -> npt.NDArray[np.bool_]:
    """Which lines begin with the checksum of what follows, in eight lower-case digits and a space."""
    view = memoryview(data)
    spans = zip((starts + _TYPE_START).tolist(), ends.tolist(), strict=True)
    sums = np.fromiter((zlib.crc32(view[start:end]) for start, end in spans), np.int64, len(ends))
    heads = _gather(raw, starts, _TYPE_START)
    digits = _HEX[heads[:, :_CHECKSUM_CHARS]]
    told = digits.astype(np.int64) @ _WEIGHTS
    plain = (digits < 16).all(axis=1) & (heads[:, _CHECKSUM_CHARS] == ord(" "))
    return np.asarray(plain & (told == sums))


def _gather(raw: npt.NDArray[np.uint8], starts: Positions, count: int) -> npt.NDArray[np.uint8]:
    """`count` bytes from each start; behind the data's end the last byte, a newline, stands for them."""
    places = np.minimum(starts[:, None] + np.arange(count), max(len(raw) - 1, 0))
    picked: npt.NDArray[np.uint8] = raw[places]
    return picked


def _bad_line(line: bytes, offset: int) -> SpoolLine:
    body = line[_TYPE_START:]
    if b"%08x " % zlib.crc32(body) != line[:_TYPE_START]:
        return SpoolLine(offset, "", line, "checksum does not match")
    name = body.partition(b" ")[0].decode("ascii", "replace")[:40]
    return SpoolLine(offset, name, line, f"unknown record type '{name}'")
