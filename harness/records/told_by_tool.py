"""What another tool told of a run as a whole: aggregates of no row here, mixed with none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from harness.records.told import EndSummary


class Grain(StrEnum):
    """How exact a told figure is."""

    EXACT = "exact"
    ROUNDED = "rounded"
    SKETCH = "sketch"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFigure:
    """One aggregate as a tool wrote it.

    Attributes:
        name: what it is, with its unit where it has one: `p95_ms`, `requests`, `cost_usd`.
        value: as told, in the unit of the name.
        of: the requests it rests on, as the tool counts: `answered requests`, `all requests`.
        grain: how exact it is.
        group: an endpoint or phase, where it is not about the whole.
    """

    name: str
    value: float
    of: str
    grain: Grain = Grain.EXACT
    group: str | None = None

    @property
    def shown(self) -> str:
        """The value as a person reads it."""
        return f"{self.value:,.10g}" if abs(self.value) < 1e15 else f"{self.value:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldByTool:
    """A tool's own figures of a run, and what it counts otherwise than we do.

    Attributes:
        tool: with its version where the file says it.
        figures: in the order of the file.
        remarks: sentences.
    """

    tool: str
    figures: tuple[ToldFigure, ...] = ()
    remarks: tuple[str, ...] = ()

    def payload(self) -> dict[str, Any]:
        """As it stands in a run's summary and in `--json`."""
        return {
            "tool": self.tool,
            "figures": [asdict(figure) for figure in self.figures],
            "remarks": self.remarks,
        }


def told_by(summary: Mapping[str, Any]) -> ToldByTool | None:
    """What a run's summary keeps of another tool's figures; None for a run of our own."""
    told = EndSummary.read(summary).told
    if told is None:
        return None
    return ToldByTool(
        tool=str(told.get("tool") or "another tool"),
        figures=_figures(told.get("figures") or ()),
        remarks=tuple(str(remark) for remark in told.get("remarks") or ()),
    )


def _figures(entries: Sequence[Mapping[str, Any]]) -> tuple[ToldFigure, ...]:
    return tuple(
        ToldFigure(**{**entry, "grain": Grain(entry.get("grain", Grain.EXACT))}) for entry in entries
    )
