"""Charts and tables of money that more than one page shows."""

import streamlit as st

from dashboard.draw import charts, colours
from dashboard.draw.export import table
from dashboard.queries.cost import Money
from harness.figures.spending import ROLES, Spending


def cost_by_role(spent: Spending, *, key: str) -> None:
    """Draft and repair side by side, each stacked by provider."""
    rows = [row for row in spent.rows if row.cost_usd is not None]
    roles = [role for role in ROLES if any(row.role == role for row in rows)]
    providers = sorted({row.provider for row in rows})
    parts = {
        provider: [
            sum(float(r.cost_usd or 0) for r in rows if (r.provider, r.role) == (provider, role)) or None
            for role in roles
        ]
        for provider in providers
    }
    calls = sum(row.calls - row.unpriced_calls for row in rows)
    fig = charts.figure("Cost by provider and role", f"USD · n {calls:,} calls", y="USD")
    shades = {provider: colours.provider_colour(provider) for provider in providers}
    charts.stacked_bars(fig, roles, parts, shades=shades, hover="$%{y:.4f}", text="$%{y:.4f}")
    charts.show(fig, key=key, file_name="cost-by-provider", alt="Cost by role and provider")


def per_hour_note(spent: Money) -> str:
    """What a cost an hour rests on, or why there is none."""
    if spent.per_hour_usd is None:
        return "less than ten minutes of arrivals, or no known cost"
    return "at the rate in which requests arrived"


def cost_table(spent: Spending, *, key: str) -> None:
    """Every role, provider and model with its calls, tokens and cost."""
    st.subheader("Cost by role, provider and model", anchor=False)
    if spent.from_columns:
        st.caption(
            f"{spent.from_columns:,} of these runs recorded no attempts: their sums come from the requests' "
            "own columns, so retries are not in them."
        )
    if spent.exclusion:
        st.caption(f"The sums {spent.exclusion}.")
    rows = [
        {
            "role": row.role,
            "provider": row.provider,
            "model": row.model,
            "calls": row.calls,
            "failed calls": row.failed_calls,
            "unpriced calls": row.unpriced_calls,
            "tokens in": row.input_tokens,
            "tokens out": row.output_tokens,
            "cost (USD)": None if row.cost_usd is None else float(row.cost_usd),
        }
        for row in spent.rows
    ]
    names = ("calls", "failed calls", "unpriced calls", "tokens in", "tokens out")
    config = {name: st.column_config.NumberColumn(format="localized") for name in names}
    config["cost (USD)"] = st.column_config.NumberColumn(format="$%.4f")
    table(rows, "cost-by-model.csv", key=key, config=config)
