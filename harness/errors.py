"""Every error the harness raises on purpose, in one tree.

    HarnessError
    |-- UsageError            bad flag, file, variable or missing run; exit 2
    |   |-- ConfigError       a configuration file or variable is wrong; names it
    |   `-- UnknownRunError   no such run in this store
    |-- StoreError            the store cannot be used; exit 2
    |   |-- StoreMissingError   no store, or an empty one
    |   |-- StoreDamagedError   the file is not a store, or is broken
    |   |-- StoreTooNewError    written by a later version of the harness
    |   `-- StoreFullError      the disk refused a write; nothing acknowledged is lost
    |-- ProviderError         one attempt failed; a recorded outcome, with its kind
    |-- BatchError            a provider's batch cannot be handed over or followed; the run can be resumed
    |-- CostGuardError        a reservation would exceed a budget; never retried
    |-- UnpricedModelError    no trustworthy price for the model
    |-- PipelineFailedError   a request got no answer; carries its kind, its calls and what they cost
    |-- BadOutputError        the model answered something the task cannot read
    `-- TargetError           the load target cannot be used (preflight); exit 2

A provider's failure is data: the orchestration records it and goes on. Everything else reaches the
user as one sentence and an exit code.
"""

from decimal import Decimal

from harness.keys import without_keys
from harness.version import __version__

EXIT_FAIL = 1
EXIT_USAGE = 2
EXIT_INCONCLUSIVE = 3
EXIT_INTERRUPTED = 130

_MOST_SOURCE_CHARS = 300
_MOST_PROBLEM_CHARS = 500


class HarnessError(Exception):
    """Base of all deliberate errors; `exit_code` is what a command ends with.

    What looks like a key is masked in every message: people do put keys where names belong.
    """

    exit_code = EXIT_FAIL

    def __init__(self, message: str = "") -> None:
        super().__init__(without_keys(message))


class UsageError(HarnessError):
    """The user asked for something that cannot be done; the message is the one sentence they see."""

    exit_code = EXIT_USAGE


class ConfigError(UsageError):
    """A configuration source is wrong. `source` names the file or variable.

    Args:
        source: the file, `file:line` or variable.
        problem: what is wrong with it, as a clause; what it quotes may be anything.

    The message is one bounded, printable line whatever the file holds.
    """

    def __init__(self, source: str, problem: str) -> None:
        self.source = _one_line(source, _MOST_SOURCE_CHARS)
        self.problem = _one_line(problem, _MOST_PROBLEM_CHARS)
        super().__init__(f"{self.source}: {self.problem}")


class UnknownRunError(UsageError):
    """No run of that id or name."""

    def __init__(self, run: str, store: str) -> None:
        super().__init__(f"no run '{run}' in store {store}; `harness runs list` shows what is there")
        self.run = run


class StoreError(HarnessError):
    """The store cannot be used."""

    exit_code = EXIT_USAGE


class StoreMissingError(StoreError):
    """There is no store at the path, or it holds no run yet."""


class StoreDamagedError(StoreError):
    """The file is not a store of ours, or is broken."""


class StoreTooNewError(StoreError):
    """The store's schema is later than this program knows."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(
            f"{path} has schema {found}, but harness {__version__} knows up to {known}: upgrade harness"
        )
        self.found = found
        self.known = known


class StoreFullError(StoreError):
    """The disk refused a write. What was acknowledged before is safe; the failed record was not."""


class ProviderError(HarnessError):
    """One attempt at a provider failed, classified.

    Args:
        kind: a `records.ErrorKind` value.
        message: bounded and redacted; never the provider's body verbatim.
        http_status: the status, if an answer arrived.
        retry_after_ms: what the provider asked for, milliseconds.
        provider_request_id: the provider's own id, for its support.
        emulated: the answer carried `x-harness-emulated`; None when no answer arrived.
        usage: what the provider said it billed before it failed (`records.Usage`, NO_USAGE when it refused
            before doing work); None when unknown, and then the attempt's cost is unknown too.
        stop_reason: the provider's own word, where the model had stopped.
        ttft_ns: send to first token of any kind, nanoseconds, where one had arrived.
        first_answer_ns: send to first piece of answer text, nanoseconds, likewise.
        price_context: the tier that the provider says served it.
        served_model: the model that the provider says answered.
        provider_cost_usd: the provider's own bill.
        usage_remarks: what was mended or left out to get at the usage.
        terms: what else the bill rests on (`records.ServedTerms`); None when nothing was read.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_ms: float | None = None,
        provider_request_id: str | None = None,
        emulated: bool | None = None,
        usage: object | None = None,
        stop_reason: str | None = None,
        ttft_ns: int | None = None,
        first_answer_ns: int | None = None,
        price_context: str = "standard",
        served_model: str | None = None,
        provider_cost_usd: Decimal | None = None,
        usage_remarks: tuple[str, ...] = (),
        terms: object | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.http_status = http_status
        self.retry_after_ms = retry_after_ms
        self.provider_request_id = provider_request_id
        self.emulated = emulated
        self.usage = usage
        self.stop_reason = stop_reason
        self.ttft_ns = ttft_ns
        self.first_answer_ns = first_answer_ns
        self.price_context = price_context
        self.served_model = served_model
        self.provider_cost_usd = provider_cost_usd
        self.usage_remarks = usage_remarks
        self.terms = terms


class BatchError(HarnessError):
    """A provider's batch could not be handed over, followed or fetched. What is durable can be resumed."""


class CostGuardError(HarnessError):
    """Refused before the call: spent + reserved would exceed the budget. Never retried.

    Args:
        budget: which budget refused (`request`, `run`, `evaluation`).
        limit_usd: its limit.
        committed_usd: already spent and reserved.
        needed_usd: the worst case of the refused call.
    """

    def __init__(self, budget: str, limit_usd: Decimal, committed_usd: Decimal, needed_usd: Decimal) -> None:
        left_usd = max(Decimal(0), limit_usd - committed_usd)
        super().__init__(
            f"cost guard: the call could cost up to ${_plain(needed_usd)}, but "
            f"${_plain(left_usd)} of the {budget} budget of ${_plain(limit_usd)} is left"
        )
        self.budget = budget
        self.limit_usd = limit_usd
        self.committed_usd = committed_usd
        self.needed_usd = needed_usd


class UnpricedModelError(UsageError):
    """No trustworthy price for the model: its cost would be unknown, and unknown is not zero."""

    def __init__(self, provider: str, model: str, because: str = "") -> None:
        reason = f" ({because})" if because else ""
        super().__init__(
            f"no price is known for model '{model}' of provider '{provider}'{reason}; add it to the price "
            "overrides, or allow unpriced calls (their cost is recorded as unknown)"
        )
        self.provider = provider
        self.model = model


class PipelineFailedError(HarnessError):
    """A request ended without an answer, after all retries and fallbacks.

    Args:
        kind: a `records.ErrorKind` value, of the failure that decided.
        message: one bounded, redacted sentence.
        calls: every attempt made or refused, `records.Call`.
        failed_event: the `records.FailedEvent` to record, without its `http_status`.
        retry_after_ms: what the provider asked for, milliseconds.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        calls: tuple[object, ...] = (),
        failed_event: object | None = None,
        retry_after_ms: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.calls = calls
        self.failed_event = failed_event
        self.retry_after_ms = retry_after_ms


class BadOutputError(HarnessError):
    """The model's answer cannot be read as what the task needs."""


class TargetError(UsageError):
    """The load target is unreachable, or must not be loaded as asked."""


def _plain(amount_usd: Decimal) -> str:
    """All its digits, without trailing zeros or an exponent."""
    return format(amount_usd.normalize(), "f")


def _one_line(text: str, most_chars: int) -> str:
    """A text without keys, line breaks and characters that are not printable, its middle left out if long."""
    whole = without_keys(text)
    if len(whole) > most_chars:
        half = (most_chars - 3) // 2
        whole = f"{whole[:half]}...{whole[-half:]}"
    return "".join(char if char.isprintable() else " " for char in whole)
