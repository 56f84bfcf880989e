"""What the emulator counts and charges: its own rules, so that it can disagree with the harness."""

from dataclasses import dataclass
from decimal import Decimal

from harness.emulator.models import ModelProfile

BYTES_PER_TOKEN = 4
MESSAGE_OVERHEAD_TOKENS = 4
_MILLION = Decimal(1_000_000)


def tokens_of(size_bytes: int) -> int:
    """Tokens of a text of that many UTF-8 bytes: a quarter, rounded up."""
    return -(-size_bytes // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBill:
    """Tokens of one request: `uncached_input` excludes the cache fields; reasoning is part of output."""

    uncached_input: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    output: int = 0
    reasoning: int = 0

    @property
    def total_input(self) -> int:
        """All input tokens, cached or not."""
        return self.uncached_input + self.cache_read + self.cache_write_5m + self.cache_write_1h


def cost_usd(profile: ModelProfile, bill: TokenBill, *, batch: bool = False) -> Decimal | None:
    """Exact cost of a bill; None when something it used has no price. Batches cost half."""
    price = profile.price
    if profile.long_context_above is not None and bill.total_input > profile.long_context_above:
        price = profile.long_price
    if price is None:
        return None
    parts = (
        (bill.uncached_input, price.input),
        (bill.cache_read, price.cache_read),
        (bill.cache_write_5m, price.cache_write_5m),
        (bill.cache_write_1h, price.cache_write_1h),
        (bill.output, price.output),
    )
    total = Decimal(0)
    for tokens, rate in parts:
        if tokens and rate is None:
            return None
        total += tokens * (rate or Decimal(0))
    return total / _MILLION / (2 if batch else 1)
