"""Spools as they should never be: the cases, and what must hold for each."""

import json
import zlib
from typing import Any

import duckdb
import orjson
from hypothesis import strategies as st

from harness.store.database.migrate import PLAIN_NAMES
from harness.store.fold.stage import Stage
from harness.store.fold.staging import load_stage
from harness.store.spool.codec import RECORD_TYPES, columns_of, encode_line
from harness.store.spool.lines import parse_lines

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
good_lines = st.builds(
    lambda number, note: encode_line(
        "request", orjson.dumps({"run_id": "r", "request_id": f"q{number}", "status": "ok", "scenario": note})
    ),
    st.integers(0, 10**6),
    texts,
)
edits = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "repeat", "truncate"]),
        st.floats(0, 1),
        st.binary(max_size=12),
    ),
    max_size=4,
)


@st.composite
def odd_bodies(draw: st.DrawFn) -> tuple[str, bytes]:
    """A record type and a body whose checksum will be right, but whose content need not be."""
    type_name = draw(st.sampled_from(sorted(RECORD_TYPES)))
    if draw(st.integers(0, 9)) == 0:
        return type_name, draw(st.binary(max_size=40)).replace(b"\n", b" ")
    row: dict[str, Any] = {}
    for name, kind in columns_of(type_name).items():
        if draw(st.integers(0, 4)) == 0:
            continue
        plain = {
            "text": texts,
            "int": st.integers(-(2**63), 2**63 - 1),
            "float": st.floats(allow_nan=False, allow_infinity=False),
            "bool": st.booleans(),
            "money": st.decimals(-(10**7), 10**7, places=10).map(str),
            "time": st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
            "json": json_values.map(lambda value: _dumps(value).decode()),
        }[kind]
        row[name] = draw(plain if draw(st.integers(0, 30)) else json_values)
    if draw(st.integers(0, 20)) == 0:
        row[draw(texts)] = 1
    return type_name, _dumps(row)


def _dumps(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False, default=str).encode() if _finite(value) else b"null"


def _finite(value: Any) -> bool:
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return True


def damaged(lines: list[bytes], changes: list[tuple[str, float, bytes]]) -> bytes:
    """A spool's bytes after some accidents."""
    data = bytearray(b"".join(lines))
    for kind, where, piece in changes:
        at = int(where * len(data))
        if kind == "flip" and data:
            data[min(at, len(data) - 1)] ^= (1 + len(piece)) % 256
        elif kind == "cut":
            del data[at : at + len(piece)]
        elif kind == "insert":
            data[at:at] = piece
        elif kind == "repeat":
            data[at:at] = data[at : at + 4 * len(piece)]
        elif kind == "truncate":
            del data[at:]
    return bytes(data)


def check_parsing(data: bytes, whole: list[bytes]) -> None:
    """No crash; each finished line answers once, with its bytes; what was not touched is read."""
    parsed = list(parse_lines(data, 100))
    ends = data.split(b"\n")[:-1]
    assert len(parsed) == len(ends)
    offset = 100
    for line, raw in zip(parsed, ends, strict=True):
        assert line.offset == offset
        offset += len(raw) + 1
        if line.problem is None:
            body = line.type_name.encode() + b" " + line.body
            assert raw == b"%08x %b" % (zlib.crc32(body), body)
        else:
            assert line.body == raw
    untouched = [line[:-1] for line in whole if line[:-1] in ends]
    bodies = [line.type_name.encode() + b" " + line.body for line in parsed if line.problem is None]
    read = {b"%08x %b" % (zlib.crc32(body), body) for body in bodies}
    assert read.issuperset(untouched)


def check_staging(bodies: list[tuple[str, bytes]]) -> tuple[int, int]:
    """No crash, and every line is a row or set aside; returns how many of each."""
    stage = Stage()
    data = b"".join(encode_line(name, body) for name, body in bodies)
    stage.add(data, 0, spool_id="s", source="s.jsonl")
    with duckdb.connect(":memory:", config=dict(PLAIN_NAMES)) as connection:
        rejected = len(load_stage(connection, stage.tables())) + len(stage.quarantine)
        counts = [
            connection.execute(f"SELECT count(*) FROM stage.{name}").fetchall()[0][0] for name in RECORD_TYPES
        ]
    assert sum(counts) + rejected == len(bodies)
    return sum(counts), rejected
