"""Prices beside the price data: the shipped ones it lacks, and the user's own file, which goes first.

One JSON object: `prices`, a list of entries (each with its source URL and start date), and
`provider_aliases`, from a configured provider's name to the one whose prices it charges.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from harness.inputs import checked, parse_json, read_bytes
from harness.pricing.catalogue import STANDARD
from harness.pricing.rates import Rate, RateCard, Tier

SHIPPED_PATH = Path(__file__).with_name("overrides.json")
_MOST_BYTES = 4 * 1024 * 1024


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("a number is wanted, not true or false")  # noqa: TRY004 - pydantic's own kind
    return value


def _day(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a date is wanted, as in 2026-01-31")  # noqa: TRY004 - pydantic's own kind
    return value


Usd = Annotated[
    Decimal, BeforeValidator(_number), Field(ge=0, le=1_000_000, max_digits=20, allow_inf_nan=False)
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LongContext(_Strict):
    """Prices of a call whose total input exceeds a threshold. A kind left out keeps its base price."""

    above_input_tokens: Annotated[int, Field(gt=0, strict=True)]
    input_usd_per_mtok: Usd
    output_usd_per_mtok: Usd
    cache_read_usd_per_mtok: Usd | None = None
    cache_write_5m_usd_per_mtok: Usd | None = None
    cache_write_1h_usd_per_mtok: Usd | None = None


class PriceEntry(_Strict):
    """One model's prices in one context from a date on. A price left out: such tokens are unpriced."""

    provider: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    context: Literal["standard", "batch", "priority", "flex", "fast"] = "standard"
    start_date: Annotated[date, BeforeValidator(_day)]
    source_url: Annotated[str, Field(pattern=r"^(https?|file)://\S+$")]
    input_usd_per_mtok: Usd
    output_usd_per_mtok: Usd
    cache_read_usd_per_mtok: Usd | None = None
    cache_write_5m_usd_per_mtok: Usd | None = None
    cache_write_1h_usd_per_mtok: Usd | None = None
    audio_input_usd_per_mtok: Usd | None = None
    audio_output_usd_per_mtok: Usd | None = None
    image_input_usd_per_mtok: Usd | None = None
    image_output_usd_per_mtok: Usd | None = None
    usd_per_1000_requests: Usd | None = None
    usd_per_1000_searches: Usd | None = None
    long_context: LongContext | None = None

    def card(self) -> RateCard:
        """The entry's prices."""
        return RateCard(
            input=self._rate("input_usd_per_mtok"),
            output=self._rate("output_usd_per_mtok"),
            cache_read=self._rate("cache_read_usd_per_mtok"),
            cache_write_5m=self._rate("cache_write_5m_usd_per_mtok"),
            cache_write_1h=self._rate("cache_write_1h_usd_per_mtok"),
            reasoning=self._rate("output_usd_per_mtok"),
            audio_input=self._rate("audio_input_usd_per_mtok"),
            audio_output=self._rate("audio_output_usd_per_mtok"),
            image_input=self._rate("image_input_usd_per_mtok"),
            image_output=self._rate("image_output_usd_per_mtok"),
            per_request_usd=_each(self.usd_per_1000_requests) or Decimal(0),
            per_search_usd=_each(self.usd_per_1000_searches),
        )

    def _rate(self, name: str) -> Rate | None:
        base: Decimal | None = getattr(self, name)
        above: Decimal | None = getattr(self.long_context, name, None)
        if base is None:
            return None
        if self.long_context is None or above is None:
            return Rate(base)
        return Rate(base, (Tier(self.long_context.above_input_tokens, above),))


def _each(usd_per_1000: Decimal | None) -> Decimal | None:
    return None if usd_per_1000 is None else usd_per_1000.scaleb(-3)


class OverridesFile(_Strict):
    """The file as written."""

    comment: str | None = None
    provider_aliases: dict[str, str] = Field(default_factory=dict)
    prices: list[PriceEntry] = Field(default_factory=list)

    @field_validator("provider_aliases")
    @classmethod
    def _one_each(cls, aliases: dict[str, str]) -> dict[str, str]:
        lowered = [name.lower() for name in aliases]
        twice = next((name for name in lowered if lowered.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"'{twice}' stands twice; upper and lower case are the same here")
        return aliases


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """One overrides file, read. `version` is a digest of its bytes, so that a record names what priced it."""

    source: str
    version: str
    provider_aliases: dict[str, str]
    prices: Sequence[PriceEntry] = field(default_factory=tuple)

    def find(self, provider: str, name: str, at: datetime, context: str = STANDARD) -> PriceEntry | None:
        """The entry of exactly that name in force at a moment; the latest start wins, then the later line."""
        today = at.astimezone(UTC).date()
        entries = [
            entry
            for entry in self.prices
            if entry.provider.lower() == provider.lower()
            and entry.model.lower() == name
            and entry.context == context
            and entry.start_date <= today
        ]
        return max(reversed(entries), key=lambda entry: entry.start_date, default=None)

    def has_any(self, provider: str, names: Sequence[str]) -> bool:
        """Whether any of the names has an entry, whenever it starts and in whatever context."""
        return any(e.provider.lower() == provider and e.model.lower() in names for e in self.prices)

    def find_any(
        self, provider: str, names: Sequence[str], at: datetime, context: str = STANDARD
    ) -> PriceEntry | None:
        """The first of the names that has an entry in force."""
        found = (self.find(provider, name, at, context) for name in names)
        return next((entry for entry in found if entry), None)


def load_overrides(path: Path, source: str) -> Overrides:
    """Read an overrides file.

    Args:
        path: the JSON file.
        source: what records call it.

    Raises:
        ConfigError: the file is missing, too large, not JSON, or breaks the format; names file and field.
    """
    data = read_bytes(path, _MOST_BYTES)
    written = checked(OverridesFile, parse_json(data, str(path), exact=True), str(path))
    return Overrides(
        source=source,
        version=hashlib.sha256(data).hexdigest()[:12],
        provider_aliases={name.lower(): to.lower() for name, to in written.provider_aliases.items()},
        prices=tuple(written.prices),
    )
