"""Why requests of an evaluation failed, in sentences: kinds with their counts, and one example."""

from harness.figures.selection import Rows

_EXAMPLE_CHARS = 160
_FAILED = """SELECT coalesce(strategy, '(none)') AS name, coalesce(error_kind, status) AS kind, count(*) AS n,
    arg_min(error_message, coalesce(seq, 0)) FILTER (error_message IS NOT NULL) AS example
FROM counted WHERE status <> 'ok' GROUP BY ALL ORDER BY n DESC, kind"""
_ASKED = """SELECT coalesce(strategy, '(none)') AS name, count(*), count(CASE WHEN status = 'ok' THEN 1 END)
FROM counted GROUP BY name ORDER BY min(coalesce(seq, 0)), name"""


def failure_notes(rows: Rows) -> tuple[str, ...]:
    """One sentence for each strategy that had failures, in the order in which they appear."""
    failed: dict[str, list[tuple[str, int, str | None]]] = {}
    for name, *group in rows.rows(_FAILED):
        failed.setdefault(name, []).append((group[0], group[1], group[2]))
    asked = rows.rows(_ASKED)
    notes = [_note(name, n, ok, failed[name]) for name, n, ok in asked if name in failed]
    if asked and not any(ok for _, _, ok in asked):
        return ("no request was answered: there is nothing to compare", *notes)
    return tuple(notes)


def _note(name: str, n: int, ok: int, groups: list[tuple[str, int, str | None]]) -> str:
    said = ", ".join(f"{count:,} {kind}" for kind, count, _ in groups)
    example = next((text for _, _, text in groups if text), None)
    shown = "" if example is None else f' (as in "{_one_line(example)[:_EXAMPLE_CHARS]}")'
    none = "" if ok else "no request was answered: "
    return f"{name}: {none}{n - ok:,} of {n:,} failed: {said}{shown}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text.replace("\n", " "))
