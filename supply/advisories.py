"""`make audit`: the pinned requirements against the shipped advisories, which say of what day they are.

`supply/advisories.json` is an excerpt of the PyPI advisory database (github.com/pypa/advisory-database, CC-BY-4.0)
for the packages that are pinned: ids and version ranges. `python -m supply.advisories FOLDER` makes it anew from
a clone of that repository.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from packaging.version import InvalidVersion, Version

from supply.pinned import normalised, pinned

FILE = Path(__file__).with_name("advisories.json")


def affected(pins: dict[str, str], shipped: dict[str, Any]) -> list[str]:
    """One sentence for each pinned version that an advisory names."""
    return [
        f"{advisory['package']} {pins[advisory['package']]}: {advisory['id']}"
        for advisory in shipped["advisories"]
        if advisory["package"] in pins and _touches(advisory, pins[advisory["package"]])
    ]


def _touches(advisory: dict[str, Any], version: str) -> bool:
    if version in advisory["versions"]:
        return True
    return any(
        Version(first) <= Version(version) and (fixed is None or Version(version) < Version(fixed))
        for first, fixed in advisory["ranges"]
    )


def excerpt(folder: Path) -> dict[str, Any]:
    """The shipped file anew, from a clone (a bare one will do)."""
    pins = pinned()

    def git(*words: str) -> str:
        command = ["git", "-C", str(folder), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    listed = [
        path
        for path in git("ls-tree", "-r", "--name-only", "HEAD", "vulns/").splitlines()
        if normalised(path.split("/")[1]) in pins
    ]
    return {
        "source": "https://github.com/pypa/advisory-database",
        "commit": git("rev-parse", "HEAD").strip(),
        "date": git("log", "-1", "--format=%cs").strip(),
        "advisories": [one for path in listed for one in _read(git("show", f"HEAD:{path}"))],
    }


def _read(text: str) -> list[dict[str, Any]]:
    told = yaml.safe_load(text)
    if told.get("withdrawn"):
        return []
    return [
        {
            "id": told["id"],
            "package": normalised(entry["package"]["name"]),
            "ranges": [pair for row in entry.get("ranges", []) for pair in _pairs(row)],
            "versions": [] if entry.get("ranges") else entry.get("versions", []),
        }
        for entry in told.get("affected", [])
    ]


def _pairs(row: dict[str, Any]) -> list[list[str | None]]:
    """[first affected, first fixed or None] of one range of versions."""
    if row["type"] != "ECOSYSTEM":
        return []
    pairs: list[list[str | None]] = []
    for event in row["events"]:
        try:
            Version(next(iter(event.values())))
        except InvalidVersion:
            return []
        if "introduced" in event:
            pairs.append([event["introduced"], None])
        elif "fixed" in event and pairs:
            pairs[-1][1] = event["fixed"]
    return pairs


def main() -> int:
    """Judge, or make the file anew from the clone that the command line names."""
    if len(sys.argv) > 1:
        FILE.write_text(json.dumps(excerpt(Path(sys.argv[1])), indent=1) + "\n")
    shipped = json.loads(FILE.read_text())
    found = affected(pinned(), shipped)
    named = len({one["package"] for one in shipped["advisories"]})
    print(
        f"{len(pinned())} pinned, {len(shipped['advisories'])} advisories of {shipped['date']} about {named} of them: "
        f"{len(found)} apply"
    )
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
