"""Where the dashboard and the scenarios are: in the checkout if there is one, else inside the wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundle_root() -> Path:
    """The folder that holds `dashboard/` and `scenarios/`; put it on PYTHONPATH to import them."""
    checkout = _PACKAGE.parent
    return checkout if (checkout / "pyproject.toml").is_file() else _PACKAGE / "_bundled"


def bundled(*parts: str) -> Path:
    """A file or folder that ships with the harness, such as `bundled("scenarios", "baseline.py")`.

    Raises:
        FileNotFoundError: it does not ship; the installation is incomplete.
    """
    path = bundle_root().joinpath(*parts)
    if not path.exists():
        raise FileNotFoundError(f"this installation of harness lacks {'/'.join(parts)}")
    return path
