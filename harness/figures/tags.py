# ruff: noqa: S608 - a tag's name is checked before it becomes SQL, values are bound
"""Tags as filters and groups: a name is checked before it stands in SQL, one that is not there is said."""

from collections.abc import Sequence

from harness.errors import UsageError
from harness.figures.selection import TAG_NAMES, Rows, tag_sql
from harness.records import tag_name

TAG_PREFIX = "tag."
"""What a tag's name has before it where it stands beside other groups and filters."""

UNTAGGED = "none"
"""The group of requests that have no such tag."""

_MOST_VALUES = 8
"""Named in a message, the most frequent first."""

Tag = tuple[str, str]
"""Name and value."""


def tag_of_group(by: str) -> str | None:
    """The tag that a group is made of; None for any other group.

    Raises:
        UsageError: what stands behind the prefix can be no name.
    """
    if not by.startswith(TAG_PREFIX):
        return None
    return checked_name(by.removeprefix(TAG_PREFIX))


def checked_name(text: str) -> str:
    """The name itself.

    Raises:
        UsageError: it cannot be one.
    """
    try:
        return tag_name(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


def tag_filters(texts: Sequence[str]) -> tuple[Tag, ...]:
    """`plan=pro` as name and value; the name may have `tag.` before it.

    Raises:
        UsageError: another form, or what can be no name.
    """
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise UsageError(f"'{text[:60]}': write a tag as NAME=VALUE, as in plan=pro")
        found.append((checked_name(name.removeprefix(TAG_PREFIX)), value))
    return tuple(found)


def group_of_tag(name: str) -> str:
    """SQL of the group, over `counted`; never NULL."""
    return f"coalesce({tag_sql(name)}, '{UNTAGGED}')"


def known_tags(rows: Rows) -> tuple[str, ...]:
    """The names of a selection's tags, sorted."""
    found = rows.rows(
        f"SELECT DISTINCT unnest({TAG_NAMES}) AS name FROM counted WHERE tags IS NOT NULL ORDER BY name"
    )
    return tuple(name for (name,) in found)


def tag_values(rows: Rows, name: str) -> dict[str, int]:
    """The values of one tag and the requests of each, most frequent first."""
    tag = tag_sql(name)
    found = rows.rows(
        f"SELECT {tag} AS value, count(*) AS n FROM counted WHERE {tag} IS NOT NULL "
        "GROUP BY value ORDER BY n DESC, value"
    )
    return dict(found)


def require_tags(rows: Rows, names: Sequence[str], wanted: Sequence[Tag] = ()) -> None:
    """Say which tags and values there are, where one that was asked for is not among them.

    Args:
        rows: the selection before it is narrowed by tags.
        names: of tags to group by.
        wanted: of tags to filter by, with their values.

    Raises:
        UsageError: no request has a tag of the name, or the value.
    """
    known = known_tags(rows)
    for name in (*names, *(name for name, _ in wanted)):
        if name not in known:
            there = f"there is {', '.join(known)}" if known else "none has any"
            raise UsageError(f"no request here has a tag '{name}'; {there}")
    for name, value in wanted:
        values = tag_values(rows, name)
        if value not in values:
            shown = ", ".join(list(values)[:_MOST_VALUES])
            more = f" and {len(values) - _MOST_VALUES} more" if len(values) > _MOST_VALUES else ""
            raise UsageError(f"no request here has {name} '{value[:60]}'; there is {shown}{more}")
