"""Alerts live: the error rule beside a running service, several faults in turn.

Emulator, service, `ingest --follow` and `alerts watch` run as users start them; the error rule looks at one
minute instead of fifteen, so that it can resolve within the campaign.

Run: python -m tests.campaigns.campaign_alerts
"""

import sys
import tempfile
from pathlib import Path

from tests.ops.live import live_scene

FAULTS = ("server_error", "content_filter", "malformed_json")
LIMIT_S = 60.0


def main() -> int:
    """Print one row a fault; exit 1 when an alert came late or more than once."""
    print("# Alerts, live\n")
    print(
        "A fault is switched on in the emulator, and off when the alert fires; the rule's window is one minute.\n"
    )
    print("| fault | on to firing, s | off to resolved, s | fired | resolved |")
    print("|---|---|---|---|---|")
    held = True
    with tempfile.TemporaryDirectory() as folder, live_scene(Path(folder), window="60s") as scene:
        for count, fault in enumerate(FAULTS, start=1):
            scene.set_faults(fault)
            fired_s = scene.ask_until("firing", 2 * LIMIT_S)
            scene.set_faults()
            resolved_s = scene.ask_until("resolved", 3 * LIMIT_S)
            history = scene.history()
            fired, resolved = history.count("firing"), history.count("resolved")
            print(f"| {fault} | {fired_s:.1f} | {resolved_s:.1f} | {fired} | {resolved} |", flush=True)
            held = held and fired_s < LIMIT_S and fired == resolved == count
    print(f"\n{scene.sent:,} requests; every alert fired within {LIMIT_S:.0f} s, once, and resolved once.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
