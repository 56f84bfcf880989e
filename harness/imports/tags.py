"""Labels of other tools as flat tags."""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.providers.reading.values import as_word
from harness.records import dump_json


def labelled(told: Mapping[str, Any], labels: Iterable[str]) -> str | None:
    """Tags as JSON text: named values, and labels as `name:value`; a label alone is `true`. None for none."""
    found: dict[str, Any] = dict(told)
    for label in labels:
        name, _, value = label.partition(":")
        found[name.strip()] = value.strip() or "true"
    kept = {key: word for name, value in found.items() if (key := as_word(name)) and (word := as_word(value))}
    return dump_json(kept).decode() if kept else None
