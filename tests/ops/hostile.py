"""Telemetry lines as they should not be: broken, cut, huge, hostile."""

import json
import random

NOW = "2026-11-23T12:00:00Z"
SCRAPS = [
    "",
    "null",
    "true",
    "[]",
    "{}",
    "NaN",
    '{"event":',
    '{"event": NaN}',
    "{" * 400,
    "[" * 100_000,
    '{"a":' * 5_000 + "1" + "}" * 5_000,
    "\x00\x01\x02",
    '\ufeff{"event":"assist.draft.completed"}',
    "x" * 300_000,
    "9" * 10_000,
    '{"level":30,"time":1763900000000,"msg":"listening"}',
    '{"event":"user.login","ts":"2026-11-23T12:00:00Z"}',
    '{"event":["assist.draft.completed"]}',
    '{"event":"assist.draft.completed"}',
    '{"event":"assist.draft.completed","ts":"0001-01-01T00:00:00+14:00"}',
    '{"event":"assist.draft.completed","ts":"9999-12-31T23:59:59-14:00"}',
    '{"event":"assist.draft.completed","ts":1e400}',
    '{"event":"assist.draft.completed","ts":-1}',
    "'; DROP TABLE requests; --",
    "<script>alert(1)</script>",
]
VALUES = [
    None,
    True,
    -1,
    0,
    1e308,
    2**63,
    -(2**70),
    10**400,
    "",
    "\x00",
    "\ud800",
    "x" * 100_000,
    "'; DROP TABLE requests; --",
    "=cmd|' /C calc'!A0",
    [],
    {},
    [[[[1]]]],
    {"$": {"a": "\ud83d"}},
    "1e999999",
    "NaN",
    "\u202e",
]
FIELDS = [
    "ts",
    "request_id",
    "latency_ms",
    "cost_usd",
    "draft_cost_usd",
    "draft_source",
    "environment",
    "run_id",
    "mixed_providers",
    "stages_ms",
    "quality_tier",
    "confidence",
    "draft_input_tokens",
    "status",
    "strategy",
    "unknown",
    "a.b",
    "$",
    "",
    "__proto__",
]


def hostile_lines(count: int, seed: int = 7) -> list[bytes]:
    draw = random.Random(seed)
    return [hostile_line(draw, number) for number in range(count)]


def hostile_line(draw: random.Random, number: int) -> bytes:
    kind = draw.random()
    if kind < 0.15:
        scrap = draw.choice(SCRAPS[:8] + SCRAPS[11:13] + SCRAPS[15:]) if number % 50 else draw.choice(SCRAPS)
        return scrap.encode().replace(b"\n", b"")
    if kind < 0.2:
        return bytes(draw.randrange(256) for _ in range(draw.randrange(60))).replace(b"\n", b"")
    event = {"event": "assist.draft.completed", "ts": NOW, "request_id": f"h{number % 3000}", "n": number}
    for _ in range(draw.randrange(4)):
        value = draw.choice(VALUES)
        big = isinstance(value, str) and len(value) > 1000 and number % 50 != 0
        event[draw.choice(FIELDS)] = "y" if big else value
    line = json.dumps(event).encode()
    if kind < 0.3:
        return line[: draw.randrange(len(line))]
    if kind < 0.35:
        return line.replace(b'"', b"'", 3)
    return line
