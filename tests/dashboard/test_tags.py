"""Tags on the dashboard: filters that a link can carry, and groups where few values stand side by side."""

from dataclasses import replace

import pytest

from dashboard.queries.facets import MOST_TAG_VALUES, facets
from dashboard.queries.latency import MOST_TAGGED
from harness.store import Spool, ingest, open_store
from tests.dashboard.conftest import texts
from tests.dashboard.stores import Plan, begin, end, exchange, random


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """Sixty requests, a third of them of plan pro, each of a tenant of its own."""
    store = tmp_path_factory.mktemp("tagged")
    plan = Plan(run_id="run-t", name="tagged", requests=60)
    rng = random.Random(1)
    with Spool.open(store) as spool:
        spool.append(begin(plan)).result()
        for seq in range(60):
            row, _ = exchange(plan, seq, rng)
            tags = {"plan": "free" if seq % 3 else "pro", "tenant": f"t{seq:02d}"}
            spool.append(replace(row, tags=tags)).result()
        spool.append(end(plan)).result()
    ingest(store)
    return store


def test_a_link_narrows_every_page_to_a_tag(app, tagged):
    for page, asked, n in (
        ("overview", {}, 60),
        ("overview", {"tag.plan": "pro"}, 20),
        ("overview", {"tag.plan": "pro", "tag.tenant": ["t00", "t01", "t03"]}, 2),
        ("cost", {"tag.plan": ["pro", "free"]}, 60),
        ("cost", {"tag.tenant": "t07"}, 1),
    ):
        assert f"· {n} request{'' if n == 1 else 's'} of 1 run" in texts(app(tagged, page, **asked))


@pytest.mark.parametrize(("name", "value"), [("plan", "gold"), ("plam", "pro"), ("Plan'; --", "pro")])
def test_a_tag_that_is_not_there_shows_nothing(app, tagged, name, value):
    at = app(tagged, **{f"tag.{name}": value})
    assert f"tag.{name}: {value} (not found)" in texts(at)
    assert not at.metric


def test_latency_is_compared_by_a_tag_of_few_values(app, tagged):
    at = app(tagged, "latency", by="tag.plan")
    compared = next(box for box in at.selectbox if box.label == "Compare by")
    assert "tag.plan" in compared.options
    assert "tag.tenant" not in compared.options
    assert MOST_TAGGED < 60
    (table,) = [frame.value for frame in at.dataframe if "tag.plan" in frame.value.columns]
    assert dict(zip(table["tag.plan"], table["n"], strict=True)) == {"free": 40, "pro": 20}


def test_a_store_knows_its_tags_and_their_values(tagged):
    with open_store(tagged).snapshot() as view:
        found = {tag.name: tag for tag in facets(view).tags}
    assert found["plan"].values == ("free", "pro")
    assert len(found["tenant"].values) == 60 <= MOST_TAG_VALUES
    assert (found["tenant"].cut, found["tenant"].holds("t99")) == (False, False)
