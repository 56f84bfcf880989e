import pytest

from harness.bundle import bundle_root, bundled


def test_the_checkout_is_preferred() -> None:
    assert (bundle_root() / "pyproject.toml").is_file()
    assert bundled("scenarios").is_dir()


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(FileNotFoundError, match=r"lacks scenarios/nothing\.py"):
        bundled("scenarios", "nothing.py")
