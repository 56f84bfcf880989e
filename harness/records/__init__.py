"""What was observed: frozen records, their vocabularies and their JSON.

Every stage of the harness meets in these types; units are in the names, unknown is None.
"""

from harness.records.call import UNTIMED_CONTEXTS, Call
from harness.records.content import Content
from harness.records.environment import ALIASES_VARIABLE, environment_aliases, environment_name
from harness.records.event import COMPLETED_EVENT, REPAIR_FIELDS, CompletedEvent
from harness.records.failure import FAILED_EVENT, REQUEST_EVENTS, FailedEvent
from harness.records.happening import CALIBRATION_EVENT, AlertEvent, Event
from harness.records.ids import is_valid_request_id, new_id
from harness.records.jsontext import dump_json, load_json_exact, utc_text
from harness.records.kinds import (
    HIGH_TIER_MIN_SCORE,
    MEDIUM_TIER_MIN_SCORE,
    AlertState,
    CallOutcome,
    CostSource,
    ErrorKind,
    FallbackReason,
    GateVerdict,
    LatencySource,
    ProviderMode,
    RequestStatus,
    Role,
    RunKind,
    RunStatus,
    ScoreBasis,
    StreamUnit,
    Tier,
    UnpricedReason,
    tier_of,
)
from harness.records.prompt import Completion, Prompt, Turn
from harness.records.request import Request
from harness.records.run import GateResult, Grade, Run, RunEnd
from harness.records.tags import tag_name, tag_names, tags_of
from harness.records.terms import NO_TERMS, ServedTerms, is_usual, terms_from
from harness.records.told import (
    BaselineConfig,
    BaselineSummary,
    EndSummary,
    EvaluationConfig,
    EvaluationSummary,
    ImportConfig,
    ImportSummary,
    LoadSettings,
    RunConfig,
    ServiceConfig,
    ServiceSummary,
)
from harness.records.usage import NO_USAGE, Usage

__all__ = [
    "ALIASES_VARIABLE",
    "CALIBRATION_EVENT",
    "COMPLETED_EVENT",
    "FAILED_EVENT",
    "HIGH_TIER_MIN_SCORE",
    "MEDIUM_TIER_MIN_SCORE",
    "NO_TERMS",
    "NO_USAGE",
    "REPAIR_FIELDS",
    "REQUEST_EVENTS",
    "UNTIMED_CONTEXTS",
    "AlertEvent",
    "AlertState",
    "BaselineConfig",
    "BaselineSummary",
    "Call",
    "CallOutcome",
    "CompletedEvent",
    "Completion",
    "Content",
    "CostSource",
    "EndSummary",
    "ErrorKind",
    "EvaluationConfig",
    "EvaluationSummary",
    "Event",
    "FailedEvent",
    "FallbackReason",
    "GateResult",
    "GateVerdict",
    "Grade",
    "ImportConfig",
    "ImportSummary",
    "LatencySource",
    "LoadSettings",
    "Prompt",
    "ProviderMode",
    "Request",
    "RequestStatus",
    "Role",
    "Run",
    "RunConfig",
    "RunEnd",
    "RunKind",
    "RunStatus",
    "ScoreBasis",
    "ServedTerms",
    "ServiceConfig",
    "ServiceSummary",
    "StreamUnit",
    "Tier",
    "Turn",
    "UnpricedReason",
    "Usage",
    "dump_json",
    "environment_aliases",
    "environment_name",
    "is_usual",
    "is_valid_request_id",
    "load_json_exact",
    "new_id",
    "tag_name",
    "tag_names",
    "tags_of",
    "terms_from",
    "tier_of",
    "utc_text",
]
