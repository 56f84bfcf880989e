# ruff: noqa: S608 - constant SQL, values are bound
"""One request with everything that is stored about it, and how other ways answered the same case."""

from dataclasses import dataclass
from typing import Any

from dashboard.frame.scope import Scope
from harness.figures import Rows
from harness.store import Snapshot

SIBLINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDetail:
    """One request.

    Attributes:
        row: its columns of `counted`.
        grades: what each grader said.
        calls: its attempts in the order of their start; `after_ms` is from the first one's start.
        contents: what was kept of its text.
        siblings: other answers to the same case in the same run.
    """

    row: dict[str, Any]
    grades: list[dict[str, Any]]
    calls: list[dict[str, Any]]
    contents: list[dict[str, Any]]
    siblings: list[dict[str, Any]]


def request_detail(view: Snapshot, scope: Scope, request_id: str) -> RequestDetail | None:
    """A request of the selection; None when there is none of that id in it."""
    rows = Rows(view, scope)
    found = rows.dicts("SELECT * FROM counted WHERE request_id = ? LIMIT 1", [request_id])
    if not found:
        return None
    key = [found[0]["run_id"], request_id]
    where = "WHERE run_id = ? AND request_id = ?"
    return RequestDetail(
        row=found[0],
        grades=view.dicts(f"SELECT grader, score, passed, detail FROM grades {where} ORDER BY grader", key),
        calls=view.dicts(
            f"""SELECT role, attempt, provider, model, outcome, error_kind,
                (epoch_us(started_at) - min(epoch_us(started_at)) OVER ()) / 1000.0 AS after_ms,
                ttft_ms, latency_ms, input_tokens, output_tokens, cost_usd::DOUBLE AS cost_usd, price_source,
                unpriced_reason, finish_reason
            FROM calls {where} ORDER BY started_at, call_id""",
            key,
        ),
        contents=view.dicts(
            "SELECT kind, text FROM contents WHERE request_id = ? AND (run_id = ? OR run_id IS NULL) "
            "ORDER BY ts, kind LIMIT 20",
            [request_id, found[0]["run_id"]],
        ),
        siblings=_siblings(view, found[0]),
    )


def _siblings(view: Snapshot, row: dict[str, Any]) -> list[dict[str, Any]]:
    if row["case_id"] is None:
        return []
    own = Rows(view, Scope(run_ids=(row["run_id"],)))
    return own.dicts(
        f"""SELECT request_id, strategy, draft_model, status, quality_tier, quality_score, ms AS latency_ms,
            usd::DOUBLE AS cost_usd, run_id
        FROM counted WHERE case_id = ? AND request_id <> ? ORDER BY strategy, request_id LIMIT {SIBLINGS}""",
        [row["case_id"], row["request_id"]],
    )
