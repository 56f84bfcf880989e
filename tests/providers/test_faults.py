"""A part of the fault matrix in every test run; the whole of it is `make prove`."""

from tests.campaigns.campaign_faults import cells, run_matrix

SLOW = ("stall in mid-answer", "first byte after the deadline")


async def test_each_fault_is_classified_retried_and_priced_as_it_should() -> None:
    chosen = [
        cell
        for cell in cells()
        if cell.stream and not cell.lasting and not cell.adapter.local and cell.fault.name not in SLOW
    ]
    assert len(chosen) >= 30
    seen = await run_matrix(chosen, at_once=8)
    assert {one.cell.label: one.problems for one in seen if one.problems} == {}
