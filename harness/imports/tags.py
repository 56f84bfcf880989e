"""Labels and attributes of other tools as tags, by the one rule for tags."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.keys import without_keys
from harness.records import dump_json
from harness.records.tags import MOST_TAG_CHARS, tags_of

_NO_NAME = re.compile(r"[^a-z0-9]+")


def flat(told: Mapping[str, Any]) -> dict[str, str]:
    """What of named values can be a tag, by a name that filters take: `service.name` as `service_name`."""
    return tags_of({_tag_name(name): value for name, value in told.items()}, without_keys)


def _tag_name(name: str) -> str:
    return _NO_NAME.sub("_", name.lower()).strip("_")[:MOST_TAG_CHARS]


def labelled(told: Mapping[str, Any], labels: Iterable[str]) -> str | None:
    """Tags as JSON text: named values, and labels as `name:value`; a label alone is `true`. None for none."""
    found: dict[str, Any] = dict(told)
    for label in labels:
        name, _, value = label.partition(":")
        found[name.strip()] = value.strip() or "true"
    kept = flat(found)
    return dump_json(kept).decode() if kept else None
