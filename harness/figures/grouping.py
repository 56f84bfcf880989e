"""What figures may be grouped by: names from this list alone reach SQL."""

from harness.errors import UsageError
from harness.figures.tags import TAG_PREFIX, group_of_tag, tag_of_group

GROUPS = {
    "all": "'all'",
    "run": "run_id",
    "provider": "coalesce(draft_source, 'unknown')",
    "model": "coalesce(draft_model, 'unknown')",
    "repair_provider": "coalesce(repair_source, 'none')",
    "repair_model": "coalesce(repair_model, 'none')",
    "strategy": "coalesce(strategy, 'unknown')",
    "scenario": "coalesce(scenario, 'unknown')",
    "task": "coalesce(task, 'unknown')",
    "environment": "coalesce(environment, 'unknown')",
    "case": "coalesce(case_id, 'unknown')",
    "tier": "coalesce(quality_tier, 'ungraded')",
    "status": "status",
    "error": "coalesce(error_kind, status)",
    "hour": "coalesce(strftime(date_trunc('hour', arrived_at), '%Y-%m-%dT%H:00Z'), 'unknown')",
}
"""SQL of each, over `counted`; never NULL."""


def group_sql(by: str) -> str:
    """The SQL of a group: one of the list, or of a tag as `tag.NAME`.

    Raises:
        UsageError: there is no such group; says which there are.
    """
    tag = tag_of_group(by)
    if tag is not None:
        return group_of_tag(tag)
    found = GROUPS.get(by)
    if found is None:
        raise UsageError(f"cannot group by '{by}'; there is {', '.join(GROUPS)}, and {TAG_PREFIX}NAME")
    return found
