"""Tokens of one call, normalised, so that no provider's way of counting leaks further in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens one call was billed for.

    `input_tokens` is the total, cached tokens included; the cache fields are parts of it. Anthropic reports
    the uncached part only and OpenAI the total: the adapters convert. `reasoning_tokens` is a part of
    `output_tokens`.

    Raises:
        ValueError: a negative count, or parts that exceed their whole.
    """

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_5m_tokens: int = 0
    cache_write_1h_tokens: int = 0
    reasoning_tokens: int = 0

    def __post_init__(self) -> None:
        """Check that the parts fit into their wholes."""
        counts = (
            self.input_tokens,
            self.output_tokens,
            self.cache_read_tokens,
            self.cache_write_5m_tokens,
            self.cache_write_1h_tokens,
            self.reasoning_tokens,
        )
        if min(counts) < 0:
            raise ValueError(f"token counts must be >= 0: {self}")
        if self.cache_read_tokens + self.cache_write_tokens > self.input_tokens:
            raise ValueError(f"cached tokens exceed the input total: {self}")
        if self.reasoning_tokens > self.output_tokens:
            raise ValueError(f"reasoning tokens exceed the output total: {self}")

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to a cache of either lifetime."""
        return self.cache_write_5m_tokens + self.cache_write_1h_tokens

    @property
    def uncached_input_tokens(self) -> int:
        """Input tokens charged at the plain input price."""
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens


NO_USAGE = Usage(input_tokens=0, output_tokens=0)
"""What an unbilled attempt used: the provider refused it before doing work."""
