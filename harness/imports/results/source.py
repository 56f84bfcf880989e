"""A result file as a format looks at it: its beginning, its JSON, its lines, its files beside it."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from harness.errors import ConfigError

MOST_BYTES = 2 * 1024**3
_HEAD_BYTES = 64 * 1024
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_MOST_LINE_CHARS = 8 * 1024**2


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One line: its number, from 1, and its object or None where it is none."""

    number: int
    found: Mapping[str, Any] | None
    text: str


class ResultFile:
    """One file, opened at most once a way of looking; gzip is undone by itself.

    `companions` are the files beside it that belong to the same run, `basis` the one that holds its rows:
    whichever of them is given, it is the same run.

    Raises:
        ConfigError: it cannot be read, or is larger than can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = self.basis = path
        self.companions: list[Path] = []
        self._look()

    def _look(self) -> None:
        try:
            size = self.path.stat().st_size
            with self.open() as file:
                self.head = file.read(_HEAD_BYTES)
        except (OSError, EOFError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigError(str(self.path), f"cannot be read ({reason})") from error
        if size > MOST_BYTES:
            raise ConfigError(str(self.path), f"is larger than {MOST_BYTES >> 30} GiB")
        if not self.head.strip():
            raise ConfigError(str(self.path), "is empty")

    def open(self) -> IO[bytes]:
        """The file's bytes, out of gzip where they are in it."""
        with self.path.open("rb") as file:
            packed = file.read(2) == _GZIP
        return gzip.open(self.path, "rb") if packed else self.path.open("rb")  # type: ignore[return-value]

    @property
    def is_zip(self) -> bool:
        """It is a zip archive."""
        return self.head.startswith(_ZIP)

    @cached_property
    def document(self) -> Any:
        """The whole file as one JSON value; None when it is not one."""
        if self.is_zip or self._several_objects:
            return None
        try:
            with self.open() as file:
                return parsed(file.read())
        except (OSError, EOFError) as error:
            raise ConfigError(str(self.path), f"cannot be read ({type(error).__name__})") from error

    @cached_property
    def top(self) -> Mapping[str, Any]:
        """The document where it is an object; else empty."""
        return self.document if isinstance(self.document, dict) else {}

    @cached_property
    def first_line(self) -> Mapping[str, Any]:
        """The first line's object; empty where it is none."""
        line, _, _ = self.head.lstrip().partition(b"\n")
        found = parsed(line)
        return found if isinstance(found, dict) else {}

    @cached_property
    def _several_objects(self) -> bool:
        """Lines of JSON rather than one value, by the beginning."""
        _, newline, rest = self.head.lstrip().partition(b"\n")
        return bool(self.first_line) and bool(newline) and bool(rest.strip())

    def lines(self) -> Iterator[JsonLine]:
        """Each line that is not blank."""
        with self.open() as file:
            number = 0
            while raw := file.readline(_MOST_LINE_CHARS):
                number += 1
                if not raw.strip():
                    continue
                found = parsed(raw)
                yield JsonLine(
                    number, found if isinstance(found, dict) else None, raw.decode("utf-8", "replace")
                )

    @cached_property
    def header(self) -> tuple[str, ...]:
        """The cells of the first line as CSV."""
        line, _, _ = self.head.partition(b"\n")
        text = line.decode("utf-8-sig", "replace").strip()
        return tuple(next(csv.reader([text]), ())) if "," in text else ()

    def records(self) -> list[Mapping[str, str]]:
        """The rows of a CSV table by its header; what is cut short lacks its last cells."""
        with self.open() as file:
            text = file.read().decode("utf-8-sig", "replace")
        return list(csv.DictReader(text.splitlines()))

    def beside(self, name: str) -> Path | None:
        """A file of that name in the same folder, which then belongs to the run; None when there is none."""
        path = self.path.with_name(name)
        if not path.is_file():
            return None
        if path not in self.companions:
            self.companions.append(path)
        return path


def parsed(data: bytes) -> Any:
    """The JSON value of some bytes; None when they are none. NaN and Infinity, as some write, are read."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        if b"NaN" not in data and b"Infinity" not in data:
            return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def first_keys(source: ResultFile, most: int = 12) -> str:
    """What a file begins with, for a message."""
    keys = source.top or source.first_line or dict.fromkeys(source.header)
    return ", ".join(str(key)[:40] for key in islice(keys, most))
