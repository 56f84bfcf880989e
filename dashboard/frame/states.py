"""What a page says besides its figures: banners, empty and error states, and figures as cards."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import streamlit as st

from dashboard.draw.labels import plain, shortened
from dashboard.frame.scope import Scope
from dashboard.queries.overview import RunState
from harness.errors import StoreDamagedError, StoreError, StoreMissingError, StoreTooNewError

_MODES = {
    "emulated": ":material/science: **Emulated providers.** Latencies, tokens and costs are simulated; "
    "no real provider was asked.",
    "fixtures": ":material/inventory_2: **Fixtures.** No model was asked; answers are canned and free.",
    "unknown": ":material/help: **Provider mode unknown.** The target did not say what answered.",
}
_NOT_WHOLE = {"truncated": "truncated by its budget", "interrupted": "interrupted", "failed": "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A card's change, signed, and against what. Coloured only where less is better and a change is shown."""

    text: str
    note: str
    less_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure: label, value, and what it rests on.

    Attributes:
        name: from the data, shown as plain text.
        series: the figure over time, oldest first; None where there is nothing.
    """

    label: str
    value: str
    note: str = ""
    help: str | None = None
    name: str | None = None
    move: Move | None = None
    series: Sequence[float | None] = ()


def cards(row: Sequence[Card]) -> None:
    """Figures side by side; on a narrow screen one below the other."""
    for column, card in zip(st.columns(len(row)), row, strict=True):
        with column.container(border=True, height="stretch", gap=None):
            if card.name is not None:
                st.text(shortened(card.name))
            known = [value for value in card.series if value is not None]
            st.metric(
                card.label,
                card.value,
                card.move.text if card.move else None,
                "inverse" if card.move and card.move.less_is_better else "off",
                delta_description=card.move.note if card.move else None,
                help=card.help,
                chart_data=known if len(known) > 2 else None,
            )
            if card.note:
                st.caption(plain(card.note))


def mode_banner(scope: Scope) -> None:
    """Says plainly that figures are not of live providers."""
    text = _MODES.get(scope.mode or "")
    if text is not None:
        st.info(text)


def run_banners(runs: Sequence[RunState]) -> None:
    """Says which runs are not whole or suspect."""
    broken = [run for run in runs if run.status in _NOT_WHOLE]
    if broken:
        said = (f"{run.name}: {_NOT_WHOLE[run.status]}{_of_planned(run)}" for run in broken)
        with warned(
            "Not a whole run: figures rest on what was recorded before it ended.", icon=":material/cut:"
        ):
            names(said)
    suspect = [run for run in runs if run.suspect]
    if suspect:
        with warned(
            "Suspect run: the load generator was itself late or overloaded, so latencies may not be the "
            "target's.",
            icon=":material/report:",
        ):
            names(run.name for run in suspect)


@contextmanager
def warned(text: str, *, icon: str = ":material/warning:") -> Iterator[None]:
    """A framed warning; what belongs to it is drawn inside, so that names from the data stay plain text."""
    with st.container(border=True):
        st.markdown(f"{icon} **{plain(text)}**")
        yield


def unpriced_banner(unpriced_calls: int) -> None:
    """Says that sums of money leave unpriced calls out."""
    if unpriced_calls:
        st.warning(
            f"Sums of money exclude {unpriced_calls:,} unpriced calls: their cost is unknown, not zero.",
            icon=":material/money_off:",
        )


def _of_planned(run: RunState) -> str:
    return "" if run.planned is None else f", {run.requests:,} of {run.planned:,} planned requests"


def names(lines: Iterable[str]) -> None:
    """Names from the data, as plain text, at most ten."""
    shown = list(lines)
    for line in shown[:10]:
        st.text(line)
    if len(shown) > 10:
        st.caption(f"and {len(shown) - 10} more")


def empty(title: str, advice: str, command: str | None = None) -> None:
    """A page without content says what would fill it."""
    with st.container(border=True):
        st.subheader(title, anchor=False)
        st.write(advice)
        if command is not None:
            st.code(command, language="console")


def store_problem(error: StoreError) -> None:
    """One helpful sentence instead of a page."""
    if isinstance(error, StoreMissingError):
        empty(
            "Nothing recorded yet",
            "The store of this dashboard is empty. The demo fills it in about a minute; "
            "then reload this page.",
            "harness demo",
        )
    elif isinstance(error, StoreTooNewError):
        st.error("This store was written by a later version of the harness. Upgrade the harness to read it.")
    elif isinstance(error, StoreDamagedError):
        st.error(
            "This store is damaged or not a store. Nothing was changed. Restore it from a backup or "
            "an export, or point the dashboard at another store with --store."
        )
    else:
        st.error("The store cannot be read now.")
    st.text(str(error))
