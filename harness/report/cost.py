"""The figures of `harness cost` as JSON: fixed names, money as its own digits, unknown as null."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from harness.pricing import money_usd
from harness.pricing.breakdown import Alternative, CostBreakdown, PricedCall

if TYPE_CHECKING:
    from harness.figures.spending import CostRow


def cost_payload(breakdown: CostBreakdown, *, per_month: int | None = None) -> dict[str, Any]:
    """One JSON object for a breakdown.

    Args:
        breakdown: of one request, or of a run.
        per_month: requests a month to project to, at the mean cost of the compared requests.
    """
    payload: dict[str, Any] = {
        "draft_cost_usd": breakdown.draft_cost_usd,
        "repair_cost_usd": breakdown.repair_cost_usd,
        "cost_usd": breakdown.cost_usd,
        "naive_cost_usd": breakdown.naive_cost_usd,
        "misstatement_ratio": breakdown.misstatement_ratio,
        "single_provider_cost_usd": breakdown.single_provider_cost_usd,
        "saving_ratio": breakdown.saving_ratio,
        "mixed_providers": breakdown.mixed_providers,
        "known_cost_usd": breakdown.known_cost_usd,
        "unpriced_calls": breakdown.unpriced_calls,
        "requests": breakdown.n_requests,
        "compared_requests": breakdown.n_compared,
        "compared_cost_usd": breakdown.compared_cost_usd if breakdown.n_compared else None,
        "alternatives": [_alternative(a) for a in breakdown.alternatives],
    }
    if per_month is not None:
        payload["per_month"] = per_month
        payload |= monthly(breakdown, per_month)
    return payload


def monthly(breakdown: CostBreakdown, per_month: int) -> dict[str, Decimal | None]:
    """Cost, single-provider cost and saving of a month at a volume; None where the mean is unknown."""
    if not breakdown.n_compared:
        return {
            "monthly_cost_usd": None,
            "monthly_single_provider_cost_usd": None,
            "monthly_saving_usd": None,
        }
    cost_usd = project(breakdown.compared_cost_usd, breakdown.n_compared, per_month)
    single = breakdown.single_provider_cost_usd
    single_usd = None if single is None else project(single, breakdown.n_compared, per_month)
    return {
        "monthly_cost_usd": cost_usd,
        "monthly_single_provider_cost_usd": single_usd,
        "monthly_saving_usd": None if single_usd is None else single_usd - cost_usd,
    }


def project(cost_usd: Decimal, n_requests: int, per_month: int) -> Decimal:
    """What `per_month` requests cost, USD to the cent-hundredth, if the mean of these holds."""
    return Decimal(format((cost_usd * per_month / n_requests).quantize(Decimal("1e-4")).normalize(), "f"))


def run_payload(rows: Sequence["CostRow"]) -> dict[str, Any]:
    """What each role cost at each model as JSON."""
    return {
        "by_model": [
            {
                "role": row.role,
                "provider": row.provider,
                "model": row.model,
                "calls": row.calls,
                "input_tokens": row.input_tokens,
                "output_tokens": row.output_tokens,
                "cost_usd": None if row.cost_usd is None else money_usd(row.cost_usd),
                "unpriced_calls": row.unpriced_calls,
            }
            for row in rows
        ]
    }


def call_payload(call: PricedCall) -> dict[str, Any]:
    """One planned call with its arithmetic."""
    priced = call.priced
    return {
        "provider": call.ref.provider,
        "model": call.ref.model,
        "priced_as": priced.priced_as,
        "price_source": priced.price_source,
        "price_version": priced.price_version,
        "price_context": call.context,
        "unpriced_reason": priced.unpriced_reason,
        "lines": [
            {
                "kind": line.kind,
                "tokens": line.tokens,
                "usd_per_mtok": line.usd_per_mtok,
                "cost_usd": Decimal(format(line.cost_usd.normalize(), "f")),
            }
            for line in priced.lines
        ],
    }


def _alternative(alternative: Alternative) -> dict[str, Any]:
    return {
        "provider": alternative.ref.provider,
        "model": alternative.ref.model,
        "cost_usd": alternative.cost_usd,
        "saving_ratio": alternative.saving_ratio,
        "cost_ratio": alternative.cost_ratio,
    }
