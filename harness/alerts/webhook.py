"""Telling people: one POST that Slack, Mattermost and most others understand. The address is a secret."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2

from harness.errors import ConfigError
from harness.proxies import proxy_for
from harness.records import AlertEvent, AlertState, utc_text

WEBHOOK_VARIABLE = "HARNESS_ALERT_WEBHOOK"
ATTEMPTS = 4
_FIRST_PAUSE_S = 0.5
_MAX_PAUSE_S = 10.0
_TIMEOUT_S = 10.0
_COLOURS = {"critical": "#b00020", "warning": "#e69f00", "info": "#0072b2"}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one notification went; `problem` never holds the address."""

    delivered: bool
    attempts: int
    problem: str | None = None


class Webhook:
    """Posts alert events to one address.

    Args:
        url: the address; a secret, as Slack's are.
        pause: waits between attempts, seconds.

    Raises:
        ConfigError: it is no http or https address; the sentence names the variable only.
    """

    def __init__(self, url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        try:
            parts = urlsplit(url)
            valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            valid = False
        if not valid:
            raise ConfigError(WEBHOOK_VARIABLE, "is not an http or https address")
        self._url = url
        self._proxy = proxy_for(url, os.environ)
        self._pause = pause
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs addresses

    def __repr__(self) -> str:
        """Without the address."""
        return "Webhook(...)"

    def send(self, event: AlertEvent) -> Delivery:
        """Post one event; a busy or broken receiver is asked again, with growing pauses."""
        problem = ""
        for attempt in range(1, ATTEMPTS + 1):
            pause_s = _FIRST_PAUSE_S * 2 ** (attempt - 1)
            try:
                answer = httpx2.post(
                    self._url, json=message(event), timeout=_TIMEOUT_S, proxy=self._proxy, trust_env=False
                )
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
                problem = f"the webhook could not be reached ({type(error).__name__})"
            else:
                if answer.is_success:
                    return Delivery(delivered=True, attempts=attempt)
                problem = f"the webhook answered {answer.status_code}"
                if answer.status_code not in (408, 425, 429) and answer.status_code < 500:
                    return Delivery(delivered=False, attempts=attempt, problem=problem)
                pause_s = _asked_pause_s(answer.headers.get("retry-after"), pause_s)
            if attempt < ATTEMPTS:
                self._pause(min(pause_s, _MAX_PAUSE_S))
        return Delivery(delivered=False, attempts=ATTEMPTS, problem=problem)


def message(event: AlertEvent) -> dict[str, object]:
    """The event as Slack's JSON: `text` for every receiver, one coloured attachment for those that draw."""
    detail = event.detail
    firing = event.state is AlertState.FIRING
    severity = str(detail.get("severity", "warning"))
    title = str(detail.get("title", event.rule))
    group = f" ({detail.get('group_by')} {detail['group']})" if detail.get("group") is not None else ""
    word = f"FIRING ({severity})" if firing else event.state.value.upper()
    shown = detail.get("shown") or ("unknown" if event.value is None else f"{event.value:g}")
    late = " (late)" if "late_to" in detail else ""
    text = f"{word}{late}: {title}{group}: {shown}, threshold {event.threshold:g}"
    lines = [str(detail.get("message") or ""), str(detail.get("note") or ""), utc_text(event.ts)]
    body = "\n".join(line for line in (lines if firing else lines[1:]) if line)
    return {
        "text": text.translate(_ESCAPES),
        "attachments": [
            {
                "color": _COLOURS.get(severity, "#e69f00") if firing else "#2e7d32",
                "text": body.translate(_ESCAPES),
                "fallback": text.translate(_ESCAPES),
                "ts": int(event.ts.timestamp()),
            }
        ],
    }


def _asked_pause_s(header: str | None, otherwise_s: float) -> float:
    try:
        return max(0.0, float(header)) if header else otherwise_s
    except ValueError:
        return otherwise_s
