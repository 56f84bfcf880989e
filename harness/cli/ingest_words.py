"""What `harness ingest` says: of a log, of a format, of a file that gave nothing."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TypeAlias

from harness.errors import UsageError
from harness.imports.explaining import Explanation, explained
from harness.imports.taking import FormatReport
from harness.store import LogReport

FormatTotal: TypeAlias = LogReport | FormatReport | None
_UNSUMMED = ("run_id", "resumed_at", "format", "unreadable", "compared", "join_error_ms")


def refuse_nothing(log: str, report: LogReport | FormatReport, opened: Path) -> None:
    """A file of which nothing at all was taken is the wrong one, or written in a way that is not read.

    Raises:
        UsageError: nothing, now or in an earlier pass; says what is in the file instead.
    """
    if isinstance(report, FormatReport):
        taken = report.requests + report.joined + report.known + report.grades
    else:
        taken = report.known + (report.joined if report.unmatched or report.joined else report.events)
    if taken or report.resumed_at:
        return
    if not report.lines:
        raise UsageError(f"{log}: holds no complete line")
    parts = [f"{report.bad_lines:,} cannot be read (table `quarantine` says why)"] if report.bad_lines else []
    parts += [f"{report.skipped:,} are about something else"] if report.skipped else []
    parts += [f"{report.unmatched:,} are about requests of other runs"] if report.unmatched else []
    parts += [f"{report.ambiguous:,} could be more than one request"] if report.ambiguous else []
    told = f"{log}: none of its {report.lines:,} lines was taken: {', '.join(parts) or 'no request in them'}"
    if isinstance(report, LogReport) and not report.unmatched:
        told += f"; {explained(Path(log) if log != '-' else opened, opened).sentence()}"
    raise UsageError(told)


def summed(total: FormatTotal, more: LogReport | FormatReport) -> LogReport | FormatReport:
    """Two passes over one file as one; the later one's kind counts where they differ."""
    if total is None or type(total) is not type(more):
        return more
    for item in fields(more):
        if item.name not in _UNSUMMED:
            setattr(total, item.name, getattr(total, item.name) + getattr(more, item.name))
    total.run_id = more.run_id or total.run_id
    for column, count in more.unreadable.items():
        total.unreadable[column] = total.unreadable.get(column, 0) + count
    return total


def log_sentence(report: LogReport, *, joining: bool) -> str:
    """One line about a log of events."""
    parts = [f"{report.events:,} good", f"{report.bad_lines:,} quarantined", f"{report.skipped:,} skipped"]
    if report.known:
        parts.append(f"{report.known:,} known already")
    text = f"{report.lines:,} lines: {', '.join(parts)}"
    if joining:
        text += f"; joined {report.joined:,} requests of {report.run_id}, {report.unmatched:,} of others"
        text += _by_time(report)
    elif report.events:
        text += f"; in run {report.run_id}"
    if report.access_failures:
        text += f"; {report.access_failures:,} failures seen in access lines alone"
    return text + _unreadable(report)


def format_sentence(report: FormatReport) -> str:
    """One line about a file of telemetry."""
    text = f"{report.format}: {report.lines:,} lines, {report.observations:,} observations"
    if report.bad_lines:
        text += f", {report.bad_lines:,} quarantined"
    if report.skipped:
        text += f", {report.skipped:,} skipped"
    if report.joined or report.unmatched or report.ambiguous:
        text += f"; joined {report.joined:,} requests of {report.run_id}, {report.unmatched:,} of others"
        text += _by_time(report)
    else:
        text += f"; {report.requests:,} requests, {report.calls:,} calls"
        text += f", {report.grades:,} grades" if report.grades else ""
        text += f", {report.known:,} known already" if report.known else ""
        text += f" in run {report.run_id}" if report.run_id else ""
    if report.unpriced:
        text += f"; {report.unpriced:,} of unknown cost"
    compared = report.compared
    if compared.calls:
        told, ours = (f"${amount.normalize():f}" for amount in (compared.told_usd, compared.ours_usd))
        text += f"; told {told} where we say {ours} over {compared.calls:,} calls"
        text += f", {compared.apart:,} disagree" if compared.apart else ""
    return text + _unreadable(report)


def _by_time(report: LogReport | FormatReport) -> str:
    text = f", {report.ambiguous:,} ambiguous" if report.ambiguous else ""
    if report.join_error_ms is not None:
        middle, most = report.join_error_ms
        text += f" (by time: {middle:g} ms apart in the middle, {most:g} at most)"
    return text


def _unreadable(report: LogReport | FormatReport) -> str:
    if not report.unreadable:
        return ""
    told = ", ".join(f"{column} {count:,}" for column, count in sorted(report.unreadable.items()))
    return f"; values that cannot be read, and are unknown: {told}"


def explanation_lines(log: str, found: Explanation) -> Iterator[str]:
    """What a file holds, for people."""
    kind = f"is {found.format}" if found.format else "is of no format that is known here"
    yield f"{log}: {kind}; {found.objects:,} objects looked at"
    yield "keys:"
    for key, count in found.keys.items():
        column = next((ours for ours, theirs in found.mapped.items() if theirs == key), None)
        yield f"  {key} ({count:,})" + (f" -> {column}" if column and not found.format else "")
    if found.format:
        yield f"harness ingest {log} takes it as it is"
        return
    for figure, columns in found.missing.items():
        yield f"no {figure}: map {' or '.join(columns)}"
    maps = " ".join(f"--map {ours}={theirs}" for ours, theirs in found.mapped.items())
    yield f"harness ingest {log} {maps or '--map OURS=THEIRS'}"
