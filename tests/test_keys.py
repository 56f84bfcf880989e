"""One list of secrets: what doctor takes for a key is masked wherever text is kept."""

import re
from pathlib import Path

import pytest

from harness.keys import HINTS, MASK, PROVIDER_KEYS, without_keys, without_likely_keys

BODY = "Q7xB2mK9pL4wT8vR3nZ6yC1dF5gH0jS"
KEYS = {
    "anthropic": f"sk-ant-api03-{BODY}",
    "openai": f"sk-proj-{BODY}",
    "gemini": f"AIzaSy{BODY}",
    "bedrock": f"ABSK{BODY}=",
}
MORE = {"gemini": f"AQ.{BODY}", "bedrock": f"bedrock-api-key-{BODY}"}


@pytest.mark.parametrize(("provider", "key"), [*KEYS.items(), *MORE.items()])
def test_a_key_that_doctor_knows_is_masked_everywhere(provider, key):
    assert PROVIDER_KEYS[provider].shape.fullmatch(key)
    for masked in (without_keys, without_likely_keys):
        assert masked(f"the key {key} is wrong") == f"the key {MASK} is wrong"
    assert re.search(b"|".join(HINTS), key.encode())


def test_every_provider_has_an_example():
    assert KEYS.keys() == PROVIDER_KEYS.keys()


def test_no_other_file_says_what_a_key_looks_like():
    shape = re.compile(r"re\.compile\([^)]*(sk-|AIza|ABSK|xox\[|ghp_)")
    root = Path(__file__).parents[1]
    found = [
        str(path.relative_to(root))
        for folder in ("harness", "dashboard")
        for path in (root / folder).rglob("*.py")
        if shape.search(path.read_text())
    ]
    assert found == ["harness/keys.py"]
