"""The calls of one request, and what they add up to.

Role costs count every paid attempt of the role; one unknown part makes the sum unknown, never smaller.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from harness.records import Call, CallOutcome, Content, ProviderMode, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleTokens:
    """Tokens of every attempt of one role; each None when any attempt's usage is unknown."""

    input_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None


class Ledger:
    """Collects the attempts of one request in the order in which they ended; texts only where wanted."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.contents: list[Content] = []
        self._modes: set[ProviderMode] = set()

    def add(self, call: Call, mode: ProviderMode | None) -> None:
        """Keep one attempt, and what its answer said about who really answered (None: no answer)."""
        self.calls.append(call)
        if mode is not None:
            self._modes.add(mode)

    @property
    def provider_mode(self) -> ProviderMode | None:
        """The least real of the modes seen: one canned answer makes the request a fixtures request."""
        for mode in (ProviderMode.FIXTURES, ProviderMode.EMULATED, ProviderMode.LIVE):
            if mode in self._modes:
                return mode
        return None

    def of(self, role: Role | None) -> list[Call]:
        """The attempts of one role (all roles for None) that left this process."""
        sent = [call for call in self.calls if call.outcome is not CallOutcome.REFUSED]
        return [call for call in sent if role is None or call.role is role]

    def cost_usd(self, role: Role | None = None) -> Decimal | None:
        """Cost of every attempt of the role (of all roles for None); 0 for no attempt, None when unknown.

        Refused calls were never made, so they cost nothing.
        """
        return _total(call.cost_usd for call in self.of(role))

    def overruns(self) -> list[str]:
        """Calls that were billed above the most they could cost by what was asked of them, in words."""
        return [
            f"{call.provider}/{call.model} billed ${call.cost_usd} for a call that could cost at most "
            f"${call.cost_reserved_usd}"
            for call in self.calls
            if call.cost_usd is not None
            and call.cost_reserved_usd is not None
            and call.cost_usd > call.cost_reserved_usd
        ]

    def tokens(self, role: Role) -> RoleTokens:
        """Tokens of every attempt of the role."""
        calls = self.of(role)
        return RoleTokens(
            input_tokens=_sum(c.input_tokens for c in calls),
            cache_read_tokens=_sum(c.cache_read_tokens for c in calls),
            cache_write_tokens=_sum(_cache_write(c) for c in calls),
            output_tokens=_sum(c.output_tokens for c in calls),
        )

    def prompt_cache_hit(self) -> bool | None:
        """True when any answered call read from a prompt cache; None when no usage is known."""
        known = [c.cache_read_tokens for c in self.calls if c.cache_read_tokens is not None]
        return any(known) if known else None

    def last_of(self, role: Role) -> Call | None:
        """The role's last attempt, refused ones included."""
        return next((call for call in reversed(self.calls) if call.role is role), None)


def _cache_write(call: Call) -> int | None:
    if call.cache_write_5m_tokens is None or call.cache_write_1h_tokens is None:
        return None
    return call.cache_write_5m_tokens + call.cache_write_1h_tokens


def _total(parts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for part in parts:
        if part is None:
            return None
        total += part
    return total


def _sum(parts: Iterable[int | None]) -> int | None:
    total = 0
    for part in parts:
        if part is None:
            return None
        total += part
    return total
