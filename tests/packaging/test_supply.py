"""What the product is made of: listed, licensed, without known advisories, built to the same bytes."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from supply.advisories import FILE, affected
from supply.pinned import ROOT, pinned


def test_every_pinned_requirement_has_its_licence_listed():
    listed = dict(
        re.findall(r"^\| (\S+) \| (.+) \|$", (ROOT / "docs" / "licences.md").read_text(), re.MULTILINE)
    )
    missing = [name for name in pinned() if listed.get(name, "not told").startswith("not ")]
    assert missing == [], "make licences"


def test_no_pinned_version_is_in_the_shipped_advisories():
    shipped = json.loads(FILE.read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shipped["date"])
    assert len(shipped["advisories"]) > 100
    assert affected(pinned(), shipped) == []


def test_an_affected_version_is_named():
    shipped = json.loads(FILE.read_text())
    assert any("jinja2 2.11.2" in sentence for sentence in affected({"jinja2": "2.11.2"}, shipped))
    assert affected({"jinja2": "3.1.6"}, shipped) == []


def test_the_bill_of_materials_names_every_pin(tmp_path):
    file = tmp_path / "sbom.json"
    command = [
        "-m",
        "cyclonedx_py",
        "requirements",
        "--output-reproducible",
        "-o",
        str(file),
        "requirements.txt",
    ]
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(file.read_text())
    assert told["bomFormat"] == "CycloneDX"
    assert {part["name"].lower().replace("_", "-").replace(".", "-") for part in told["components"]} == set(
        pinned()
    )


def test_actions_are_pinned_by_digest():
    files = [
        *ROOT.glob("docs/*.md"),
        ROOT / "action.yml",
        ROOT / "README.md",
        *ROOT.glob(".github/**/*.y*ml"),
    ]
    used = [line for file in files for line in re.findall(r"uses: (\S+.*)$", file.read_text(), re.MULTILINE)]
    assert any(line.startswith("actions/checkout@") for line in used)
    for line in used:
        assert line.startswith("./") or re.match(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d", line), line


def test_two_builds_are_the_same_bytes(tmp_path):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    digests = set()
    for number in (1, 2):
        copy = tmp_path / str(number)
        for name in listed.splitlines():
            if Path(ROOT / name).is_file() and name.split("/")[0] not in (
                "tests",
                "docs",
                "results",
                "findings",
            ):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, copy / name)
                os.utime(copy / name, (1_700_000_000 + number * 86_400,) * 2)
        build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(copy / "dist"), str(copy)]
        done = subprocess.run([sys.executable, *build], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (wheel,) = (copy / "dist").glob("*.whl")
        digests.add((wheel.name, hashlib.sha256(wheel.read_bytes()).hexdigest()))
    assert len(digests) == 1
