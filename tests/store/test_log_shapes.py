"""Logs as containers, clouds and editors leave them: read, or refused in one sentence; nothing is skipped silently."""

import bz2
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.ingest import app
from harness.errors import UsageError
from harness.store import ingest_events, open_store
from tests.store.test_log_ingest import T0, a_line

TIME = "2026-11-23T12:00:09.123456789Z"
NS = str(int(T0.timestamp()) * 10**9)


def text(number: int, **fields: Any) -> str:
    return a_line(number, **fields).strip()


def untimed(number: int) -> str:
    event = json.loads(a_line(number))
    del event["ts"]
    return json.dumps(event)


def cri(lines: list[str]) -> str:
    return "".join(f"{TIME} stdout F {line}\n" for line in lines)


def cri_in_parts(lines: list[str]) -> str:
    whole = []
    for line in lines:
        third = len(line) // 3
        whole += [f"{TIME} stdout P {line[:third]}", f"{TIME} stderr F noise {{}}"]
        whole += [f"{TIME} stdout P {line[third : 2 * third]}", f"{TIME} stdout F {line[2 * third :]}"]
    return "\n".join(whole) + "\n"


SHAPES: dict[str, Callable[[list[str]], str | bytes]] = {
    "cri": cri,
    "cri in parts": cri_in_parts,
    "docker": lambda lines: "".join(
        json.dumps({"log": f"{x}\n", "stream": "stdout", "time": TIME}) + "\n" for x in lines
    ),
    "journald": lambda lines: "".join(
        json.dumps({"MESSAGE": x, "__REALTIME_TIMESTAMP": NS[:-3], "_PID": "7"}) + "\n" for x in lines
    ),
    "journald bytes": lambda lines: "".join(json.dumps({"MESSAGE": list(x.encode())}) + "\n" for x in lines),
    "journald short": lambda lines: "".join(f"Nov 23 12:00:00 host draft[77]: {x}\n" for x in lines),
    "journald pretty": lambda lines: "\n".join(json.dumps({"MESSAGE": x}, indent=8) for x in lines),
    "cloudwatch tail": lambda lines: "".join(f"2026-11-23T12:00:00.000Z {x}\n" for x in lines),
    "cloudwatch events": lambda lines: json.dumps(
        {"events": [{"logStreamName": "s", "timestamp": 1, "message": x} for x in lines]}, indent=2
    ),
    "cloudwatch subscription": lambda lines: "".join(
        json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": x}]})
        for x in lines  # Firehose puts nothing between them
    ),
    "gcp": lambda lines: json.dumps(
        [{"jsonPayload": json.loads(x), "timestamp": TIME} for x in lines], indent=2
    ),
    "gcp text": lambda lines: "".join(
        json.dumps({"textPayload": x, "severity": "INFO"}) + "\n" for x in lines
    ),
    "loki jsonl": lambda lines: "".join(
        json.dumps({"labels": {}, "line": x, "timestamp": TIME}) + "\n" for x in lines
    ),
    "loki default": lambda lines: "".join(f'{TIME} {{app="draft", pod="x"}} {x}\n' for x in lines),
    "loki query": lambda lines: json.dumps(
        {
            "status": "success",
            "data": {"resultType": "streams", "result": [{"stream": {}, "values": [[NS, x] for x in lines]}]},
        }
    ),
    "loki push": lambda lines: (
        json.dumps({"streams": [{"stream": {}, "values": [[NS, x] for x in lines]}]}) + "\n"
    ),
    "kubectl prefix": lambda lines: "".join(f"[pod/draft-0/main] {x}\n" for x in lines),
    "array on one line": lambda lines: f"[{','.join(lines)}]",
    "array on many lines": lambda lines: json.dumps([json.loads(x) for x in lines], indent=1),
    "no newline between": "".join,
    "cr": lambda lines: "\r".join(lines) + "\r",
    "crlf": "\r\n".join,
    "utf-8 with a mark": lambda lines: ("\n".join(lines)).encode("utf-8-sig"),
    "utf-16 le": lambda lines: b"\xff\xfe" + "\n".join(lines).encode("utf-16-le"),
    "utf-16 be": lambda lines: b"\xfe\xff" + "\r\n".join(lines).encode("utf-16-be"),
    "gzip": lambda lines: gzip.compress(("\n".join(lines) + "\n").encode()),
    "gzip of cri": lambda lines: gzip.compress(cri(lines).encode()),
    "gzip of utf-16 of cr": lambda lines: gzip.compress("\r".join(lines).encode("utf-16")),
    "gzip of an array": lambda lines: gzip.compress(f"[{','.join(lines)}]".encode()),
}


def taken(store: Path) -> list[tuple[str, datetime]]:
    with open_store(store).snapshot() as view:
        return view.rows("SELECT request_id, ts FROM events ORDER BY request_id")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_events_once(tmp_path: Path, shape: str) -> None:
    written = SHAPES[shape]([text(n) for n in (1, 2, 3)])
    log = tmp_path / "service.log"
    log.write_bytes(written if isinstance(written, bytes) else written.encode())
    report = ingest_events(tmp_path / "store", log)
    assert report.events == 3, report
    assert [request_id for request_id, _ in taken(tmp_path / "store")] == ["q1", "q2", "q3"]
    assert taken(tmp_path / "store")[0][1] == T0.replace(second=1)
    assert report.bad_lines == 0
    assert ingest_events(tmp_path / "store", log).events == 0


def test_money_keeps_its_digits_through_a_document(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"[{text(1, cost_usd='X')}]".replace('"X"', "0.1234567890"))
    ingest_events(tmp_path / "store", tmp_path / "log")
    with open_store(tmp_path / "store").snapshot() as view:
        assert str(view.rows("SELECT cost_usd FROM requests")[0][0]) == "0.1234567890"


@pytest.mark.parametrize("shape", ["cri", "cloudwatch tail", "loki jsonl", "gcp text"])
def test_an_event_without_a_time_takes_its_wrapper_s(tmp_path: Path, shape: str) -> None:
    wrap = SHAPES[shape]
    if shape == "gcp text":
        written: Any = json.dumps({"textPayload": untimed(1), "timestamp": TIME}) + "\n"
    else:
        written = wrap([untimed(1)])
    (tmp_path / "log").write_text(written)
    ingest_events(tmp_path / "store", tmp_path / "log")
    ((_, ts),) = taken(tmp_path / "store")
    assert ts.replace(second=0, microsecond=0) == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(a_line(1).encode() * 2000)[:-40], "damaged or cut short"),
        (b"\x1f\x8b\x08garbage", "damaged or cut short"),
        (
            gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"{}"))))),
            "packed more than 4 times",
        ),
        (b"\x28\xb5\x2f\xfd1234", "compressed by zstd"),
        (bz2.compress(b"{}"), "compressed by bzip2"),
        (b"PAR1....", "a Parquet file"),
        (a_line(1).encode("utf-16-le"), "not UTF-8 text"),
        (b"\xff\xfe" + b"\x00\xd8" * 3, "UTF-16 but is not"),
        (b"", "holds no complete line"),
        (b"\n\n", "holds no complete line"),
        (b"hello\nworld\n", "none of its 2 lines was taken: 2 cannot be read"),
        (b'{"msg": "started"}\n', "none of its 1 lines was taken: 1 are about something else"),
        (b"[]", "holds no complete line"),
        (b"[1, 2]", "holds no complete line"),
        (b'[{"event": "assist.draft.completed"\n', "none of its 1 lines was taken"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",  # packed bytes hold the time of day
)
def test_what_gives_nothing_is_one_sentence_and_exit_2(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "log").write_bytes(content)
    result = CliRunner().invoke(app, [str(tmp_path / "log"), "--store", str(tmp_path / "store")])
    assert isinstance(result.exception, UsageError), result.output
    assert result.exception.exit_code == 2
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)


def test_joining_what_matches_nothing_is_refused_too(tmp_path: Path) -> None:
    for name, number in (("first", 1), ("second", 2)):
        (tmp_path / name).write_text(a_line(number))
    store = ["--store", str(tmp_path / "store")]
    assert CliRunner().invoke(app, [str(tmp_path / "first"), *store]).exit_code == 0
    assert CliRunner().invoke(app, [str(tmp_path / "first"), *store]).exit_code == 0
    result = CliRunner().invoke(app, [str(tmp_path / "second"), "--join", "latest", *store])
    assert "1 are about requests of other runs" in str(result.exception)
