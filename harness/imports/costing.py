"""The calls of `work.calls` priced at their own moments, as columns; the price's source beside each.

A told cost stands; where none is told, the cost is worked out from the tokens. Both where both are known, so
that they can be compared.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from harness.pricing import PriceBook
from harness.pricing.columns import UsageColumns, cost_column, same_prices

_TOKENS = tuple(UsageColumns.__dataclass_fields__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS_A_USD = 10**10


def price_calls(connection: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    """Make `work.priced`: n, ours_usd, price_source, price_version, priced_as of every row of `work.calls`.

    Args:
        connection: holds `work.calls`.
        book: the prices; each call at its own moment.
    """
    connection.execute("""CREATE TABLE work.models AS
        SELECT row_number() OVER () AS model_n, * FROM (
            SELECT DISTINCT provider, model, served_model, context FROM work.calls
        )""")
    models = connection.execute("FROM work.models ORDER BY model_n").fetchall()
    columns: dict[str, Any] = connection.execute(f"""
        SELECT c.n, m.model_n, make_timestamp(started_ns // 1000) AS at,
            {", ".join(f"c.{t}" for t in _TOKENS)}
        FROM work.calls c JOIN work.models m ON c.provider = m.provider AND c.model = m.model
            AND c.context = m.context AND c.served_model IS NOT DISTINCT FROM m.served_model
        ORDER BY m.model_n""").fetchnumpy()  # noqa: S608 - constant names
    moments = np.ma.filled(np.ma.asarray(columns["at"]), np.datetime64("NaT")).astype("datetime64[us]")
    edges = np.searchsorted(columns["model_n"], np.arange(1, len(models) + 2))
    pieces = [
        _priced(book, model, columns, moments, slice(int(edges[place]), int(edges[place + 1])))
        for place, model in enumerate(models)
    ]
    table = pa.concat_tables(pieces) if pieces else _EMPTY
    connection.register("priced_now", table)
    connection.execute("""CREATE TABLE work.priced AS
        SELECT n, (units::DECIMAL(38, 0) / 10000000000)::DECIMAL(18, 10) AS ours_usd, price_source,
            price_version, priced_as FROM priced_now""")
    connection.unregister("priced_now")


_EMPTY = pa.table(
    {
        "n": pa.array([], pa.int64()),
        "units": pa.array([], pa.int64()),
        **{name: pa.array([], pa.string()) for name in ("price_source", "price_version", "priced_as")},
    }
)


def _priced(
    book: PriceBook, model_row: tuple[Any, ...], columns: dict[str, Any], moments: Any, own: slice
) -> pa.Table:
    _, provider, asked, served, context = model_row
    model = book.charged_model(provider, asked, served)
    usage = UsageColumns(**{name: columns[name][own] for name in _TOKENS})
    at = moments[own]
    cost = cost_column(book, provider, model, usage, at, context=context)
    source: list[tuple[str | None, str | None, str | None]] = []
    which = np.full(len(at), -1, np.int32)
    for rows in same_prices(book, provider, model, at):
        when = _EPOCH + timedelta(microseconds=int(at[rows[0]].astype(np.int64)))
        quote = book.quote(provider, model, at=when, context=context)
        if quote is not None:
            which[rows] = len(source)
            source.append((quote.price_source, quote.price_version, quote.priced_as))
    known = which >= 0
    places = pa.array(np.where(known, which, 0), mask=~known)
    told = {
        name: pa.DictionaryArray.from_arrays(
            places, pa.array([row[place] for row in source], pa.string())
        ).cast(pa.string())
        if source
        else pa.nulls(len(at), pa.string())
        for place, name in enumerate(("price_source", "price_version", "priced_as"))
    }
    return pa.table(
        {"n": pa.array(columns["n"][own]), "units": pa.array(cost.units, mask=~cost.known), **told}
    )
