"""A log as plain UTF-8 lines, whatever it was written as: gzip, UTF-16 with its mark, CR endings, a document.

What cannot be read so is refused in one sentence.
"""

import codecs
import gzip
import io
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from harness.errors import UsageError
from harness.records.jsontext import dump_json, load_json_exact

PEEK_BYTES = 64 * 1024
PIECE_BYTES = 1024 * 1024
MAX_PLAIN_BYTES = 16 * 1024**3
"""A compressed log that unpacks to more is taken for a bomb."""
MAX_DOCUMENT_BYTES = 256 * 1024 * 1024
_FOREIGN = {
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "a SQLite database",
}
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAX_STEPS = 4
"""Unpacked, decoded, its lines ended, its document laid out."""


@contextmanager
def plain_text(opened: Path, shown: Path) -> Iterator[Path]:
    """Where the log can be read as UTF-8 lines: the file itself, or a copy that lives as long as the block.

    Args:
        opened: the file.
        shown: what to call it.

    Raises:
        UsageError: it cannot be read, or is written as something that is not read here.
    """
    try:
        writer = _needed(_head(opened), shown)
        if writer is None:
            yield opened
            return
        with tempfile.TemporaryDirectory(prefix="harness-log-") as folder:
            place = opened
            for step in range(MAX_STEPS):
                copy = Path(folder) / f"{step}.jsonl"
                with place.open("rb") as source, copy.open("wb") as target:
                    writer(source, target, shown)
                place = copy
                writer = _needed(_head(place), shown)
                if writer is None:
                    break
            if writer is _unpack:
                raise UsageError(f"{shown}: is packed more than {MAX_STEPS} times; unpack it first")
            yield place
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read ({error.strerror or error})") from error


_Writer = Callable[[BinaryIO, BinaryIO, Path], None]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(PEEK_BYTES)


def _needed(head: bytes, shown: Path) -> _Writer | None:
    """What has to be done first to a log that begins so; None for plain lines."""
    if head.startswith(b"\x1f\x8b"):
        return _unpack
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UsageError(f"{shown}: is {what}; unpack it to JSON lines first")
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return _decoder(encoding)
    if head and head.count(0) > len(head) // 4:
        raise UsageError(f"{shown}: is not UTF-8 text; UTF-16 is read where it begins with its mark")
    if b"\r" in head and b"\n" not in head:
        return _end_lines
    return _flatten if _is_document(head) else None


def _unpack(source: BinaryIO, target: BinaryIO, shown: Path) -> None:
    size = 0
    try:
        with gzip.GzipFile(fileobj=source) as stream:
            while piece := stream.read(PIECE_BYTES):
                size += len(piece)
                if size > MAX_PLAIN_BYTES:
                    raise UsageError(f"{shown}: unpacks to more than {MAX_PLAIN_BYTES:,} bytes")
                target.write(piece)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{shown}: the gzip data is damaged or cut short after {size:,} bytes") from error


def _decoder(encoding: str) -> _Writer:
    def decode(source: BinaryIO, target: BinaryIO, shown: Path) -> None:
        try:
            with io.TextIOWrapper(source, encoding=encoding, newline="") as text:
                while piece := text.read(PIECE_BYTES):
                    target.write(piece.encode())
        except UnicodeError as error:
            raise UsageError(f"{shown}: has the mark of {encoding.upper()} but is not") from error

    return decode


def _end_lines(source: BinaryIO, target: BinaryIO, _shown: Path) -> None:
    while piece := source.read(PIECE_BYTES):
        target.write(piece.replace(b"\r", b"\n"))


def _is_document(head: bytes) -> bool:
    """One JSON value over many lines, or an array: what no line-by-line reading understands."""
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] not in (b"[", b"{"):
        return False
    first, newline, rest = text.partition(b"\n")
    if text[:1] == b"[":
        inside = text[1:].lstrip()
        return inside[:1] in (b"{", b"]")
    return bool(newline and rest.strip()) and not _is_json(first)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _flatten(source: BinaryIO, target: BinaryIO, shown: Path) -> None:
    """A line for each element; what turns out to be no document is left as it is."""
    data = source.read(MAX_DOCUMENT_BYTES + 1)
    if len(data) > MAX_DOCUMENT_BYTES:
        raise UsageError(
            f"{shown}: is a JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes; write an object a line"
        )
    try:
        values = json_values(data.removeprefix(codecs.BOM_UTF8).decode())
    except (ValueError, RecursionError):
        target.write(data)
        return
    for value in values:
        target.writelines(
            dump_json(element) + b"\n" for element in (value if isinstance(value, list) else [value])
        )


def json_values(text: str) -> list[Any]:
    """One JSON value, or several without anything between them, as log shippers join them.

    Raises:
        ValueError: anything else.
    """
    try:
        return [load_json_exact(text)]
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise
    values = []
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        _, end = decoder.raw_decode(text, at)
        values.append(load_json_exact(text[at:end]))
        at = end
    return values
