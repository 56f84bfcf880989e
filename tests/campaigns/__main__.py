"""`make prove`: run every campaign and write what it prints into docs/proof, with the commit it was run on.

A campaign is `tests/campaigns/campaign_<name>.py`: a script that prints Markdown and exits 0 when it holds.
Arguments choose campaigns by name; none means all.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROOF = ROOT / "docs" / "proof"


def commit_id() -> str:
    """The short id of the checked-out commit, marked when the tree differs from it."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def run_campaign(name: str, commit: str) -> bool:
    """Run one campaign; its table is written only when it holds."""
    print(f"{name}: running", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"tests.campaigns.campaign_{name}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(f"{name}: FAILED (exit {done.returncode})\n{done.stdout}", flush=True)
        return False
    command = f"`make prove` (campaign `{name}`)"
    (PROOF / f"{name}.md").write_text(f"{done.stdout.rstrip()}\n\nMade by {command} at commit {commit}.\n")
    print(f"{name}: wrote docs/proof/{name}.md", flush=True)
    return True


def main() -> int:
    """Exit 1 when any campaign fails or is unknown."""
    known = sorted(path.stem.removeprefix("campaign_") for path in HERE.glob("campaign_*.py"))
    wanted = sys.argv[1:] or known
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        print(f"no such campaign: {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 1
    PROOF.mkdir(parents=True, exist_ok=True)
    commit = commit_id()
    held = [run_campaign(name, commit) for name in wanted]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
