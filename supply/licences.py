"""`make licences`: docs/licences.md, the licence of every pinned requirement, as its own metadata tell."""

from importlib.metadata import PackageNotFoundError, metadata

from supply.pinned import ROOT, pinned

PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Licences

What each pinned requirement (`requirements.txt`, development tools included) says of its own licence. Made by `make licences`.

| package | licence |
|---|---|
"""
_LONGEST = 60


def licence_of(name: str) -> str:
    """The licence expression, else the short name, else the classifiers; "not told" without any."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return "not installed here"
    classifiers = [
        line.rsplit(" :: ", 1)[-1]
        for line in told.get_all("Classifier") or []
        if line.startswith("License :: ") and not line.endswith(":: OSI Approved")
    ]
    text = str(told.get("License") or "").strip()
    short = text if text and "\n" not in text and len(text) <= _LONGEST and text != "UNKNOWN" else ""
    return str(told.get("License-Expression") or short or ", ".join(classifiers) or "not told")


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(f"| {name} | {licence_of(name)} |\n" for name in pinned())


if __name__ == "__main__":
    PAGE.write_text(page())
