"""The closed vocabularies of what was observed; the values are what tables and JSON carry."""

from enum import StrEnum


class Role(StrEnum):
    """What a call was for."""

    DRAFT = "draft"
    REPAIR = "repair"
    SUGGEST = "suggest"
    JUDGE = "judge"


class ErrorKind(StrEnum):
    """Why an attempt or a request failed."""

    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    AUTH = "auth"
    BAD_REQUEST = "bad_request"
    CONTENT_FILTER = "content_filter"
    TRUNCATED = "truncated"
    BAD_OUTPUT = "bad_output"
    UNKNOWN_FINISH = "unknown_finish"
    CONNECTION = "connection"
    UPSTREAM_5XX = "upstream_5xx"
    CANCELLED = "cancelled"
    COST_GUARD = "cost_guard"
    CIRCUIT_OPEN = "circuit_open"


class CallOutcome(StrEnum):
    """How one attempt ended. `refused` never left this process (cost guard, unpriced model, open circuit)."""

    OK = "ok"
    ERROR = "error"
    REFUSED = "refused"


class UnpricedReason(StrEnum):
    """Why a call has no cost: the model has no price, or the provider never told the usage."""

    UNPRICED = "unpriced"
    USAGE_UNKNOWN = "usage_unknown"


class FallbackReason(StrEnum):
    """Why a deterministic simple repair, not a model, finished the answer."""

    LLM_TIMEOUT = "llm_timeout"
    LLM_API_ERROR = "llm_api_error"
    DAG_TRANSFORM_FAILED = "dag_transform_failed"
    PARTIAL_FIX = "partial_fix"


class RequestStatus(StrEnum):
    """How one request ended, as its sender saw it. `rejected` was refused (429, cost guard)."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"
    REJECTED = "rejected"


class LatencySource(StrEnum):
    """Whose clock gave the request's latency; no percentile mixes the two."""

    CLIENT = "client"
    SERVER = "server"


class CostSource(StrEnum):
    """Where a load scenario's cost comes from: the answer, the price book, or the hours of a machine."""

    TOLD = "told"
    USAGE = "usage"
    HOURLY = "hourly"


class StreamUnit(StrEnum):
    """What the gaps of a stream stand between."""

    TOKEN = "token"  # noqa: S105 - of a model
    CHUNK = "chunk"


class ProviderMode(StrEnum):
    """What really answered. Unknown is None, never one of these. `mixed` stands only on runs."""

    LIVE = "live"
    EMULATED = "emulated"
    FIXTURES = "fixtures"
    MIXED = "mixed"


class RunKind(StrEnum):
    """Who produced the rows of a run."""

    BASELINE = "baseline"
    EVAL = "eval"
    SERVICE = "service"
    INGEST = "ingest"


class RunStatus(StrEnum):
    """Where a run stands. A `running` run whose owner is gone is read as `interrupted`."""

    RUNNING = "running"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    STOPPED_EARLY = "stopped_early"
    TRUNCATED = "truncated"


class ScoreBasis(StrEnum):
    """What coverage was measured against: a labelled case, or what was extracted from the brief."""

    LABELLED = "labelled"
    EXTRACTED = "extracted"


class Tier(StrEnum):
    """Quality tier of a score; see `tier_of`."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


HIGH_TIER_MIN_SCORE = 0.9
MEDIUM_TIER_MIN_SCORE = 0.7


def tier_of(quality_score: float | None) -> Tier | None:
    """Tier of a quality score: high >= 0.9, medium >= 0.7, else low.

    Args:
        quality_score: 0..1, or None when ungraded.

    Returns:
        The tier; None for None: an ungraded answer has no tier.
    """
    if quality_score is None:
        return None
    if quality_score >= HIGH_TIER_MIN_SCORE:
        return Tier.HIGH
    return Tier.MEDIUM if quality_score >= MEDIUM_TIER_MIN_SCORE else Tier.LOW


class GateVerdict(StrEnum):
    """What the gate says; FAIL beats INCONCLUSIVE beats PASS."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class AlertState(StrEnum):
    """State of one alert rule. `no_data` is never read as zero."""

    OK = "ok"
    FIRING = "firing"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
