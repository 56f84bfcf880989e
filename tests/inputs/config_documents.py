"""Valid settings of every kind, as plain documents; rendered to a file, each key must have its effect."""

import json
import string
from typing import Any

from hypothesis import strategies as st

from harness.tasks.graders.marking import RESERVED_NAMES

CANARY = "sk-ant-api03-CanaryCanaryCanaryCanary0123"
"""A key where none belongs; no message may repeat it."""

words = st.text(string.ascii_letters + string.digits + "äß漢 .:/-#'\"{}[]&*!%@,?|>=", min_size=1, max_size=24)
texts = words.filter(lambda text: text.strip() != "")
names = st.from_regex(r"[a-z][a-z0-9_]{0,14}", fullmatch=True)
ratios = st.floats(0, 1)
amounts = st.floats(0, 1e6)
counts = st.integers(1, 1000)
money = st.decimals(0, 10_000, places=6).map(str) | st.integers(0, 10_000)


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


def with_some(
    required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


choices = some(provider=texts, model=texts)
entries = with_some(
    {"kind": st.sampled_from(["openai", "anthropic"])},
    base_url=st.just("http://127.0.0.1:9/v1"),
    api_key_env=st.sampled_from(["OPENAI_API_KEY", "_K", "GROQ_KEY"]),
    local=st.booleans(),
    stream=st.booleans(),
)
providers = some(
    defaults=choices,
    overrides=st.dictionaries(
        st.sampled_from(["draft_graph", "repair_graph", "suggest_options"]), choices, max_size=3
    ),
    providers=st.dictionaries(names, entries, max_size=3),
)

routes = with_some({"provider": texts}, model=texts)
_named = {"name": names, "draft": routes}
_own: dict[str, dict[str, Any]] = {
    "single": {},
    "hybrid": {"repair": routes},
    "fallback": {"fallbacks": st.lists(routes, min_size=1, max_size=3)},
    "cascade": {"escalate_to": routes},
    "hedge": {"hedge": routes, "hedge_after_ms": st.floats(0.5, 600_000)},
}
strategy_files = st.one_of(
    with_some({**_named, "type": st.just(kind), **own}, description=texts) for kind, own in _own.items()
)

suites = with_some(
    {
        "name": names,
        "task": names,
        "dataset": st.just("cases.jsonl"),
        "strategies": st.lists(names, min_size=1, max_size=4, unique=True),
    },
    repeats=counts,
    graders=st.lists(
        st.one_of(
            with_some({"kind": st.just("exact"), "name": names}, expected=texts, ignore_case=st.booleans()),
            with_some(
                {"kind": st.just("regex"), "name": names, "pattern": st.just("a+")}, forbidden=st.booleans()
            ),
            with_some(
                {"kind": st.just("numeric"), "name": names}, min=st.integers(-9, 0), max=st.integers(0, 9)
            ),
            with_some({"kind": st.just("rubric"), "name": names, "judge": st.just("openai/gpt-4o")}),
        ),
        max_size=3,
        unique_by=lambda grader: grader["name"],
    ).filter(lambda graders: not {grader["name"] for grader in graders} & RESERVED_NAMES),
    pairwise=with_some(
        {"judge": st.just("openai/gpt-4o")}, criteria=st.lists(st.just("Complete."), min_size=1, max_size=2)
    ),
    families=st.dictionaries(st.just("me/my-model"), st.sampled_from(["mine", "other"]), max_size=1),
)

limits = some(
    max_p95=st.sampled_from(["8s", "800ms", "7.5 s"]),
    max_error_ratio=ratios,
    min_rps=amounts,
    max_cost_per_request=st.decimals(0, 100, places=4).map(str),
    min_high_tier=ratios,
    confidence=st.floats(0.51, 0.99),
    require_live=st.booleans(),
    baseline=texts,
)

_scopes = some(
    environment=texts | st.none(),
    run_kinds=st.lists(st.sampled_from(["service", "ingest", "baseline"]), min_size=1, max_size=3),
    provider=texts,
    model=texts,
    strategy=texts,
    task=texts,
)
rule_lists = st.fixed_dictionaries(
    {
        "rules": st.lists(
            with_some(
                {
                    "name": names,
                    "title": texts,
                    "metric": st.sampled_from(["cost_usd", "latency_ms", "draft_cost_usd"]),
                    "aggregation": st.sampled_from(["sum", "mean", "max", "p50", "p95", "p99", "per_hour"]),
                    "window": st.sampled_from(["90s", "15m", "1h", "31d"]),
                    "threshold": st.floats(-1e9, 1e9),
                    "severity": st.sampled_from(["critical", "warning", "info"]),
                },
                direction=st.sampled_from(["above", "below"]),
                min_samples=counts,
                group_by=st.sampled_from(["draft_source", "quality_tier"]),
                scope=_scopes,
                message=texts,
                enabled=st.just(True),
            ),
            max_size=3,
            unique_by=lambda rule: rule["name"],
        )
    }
)

_rates = {"input_usd_per_mtok": money, "output_usd_per_mtok": money}
_cache = {"cache_read_usd_per_mtok": money, "cache_write_5m_usd_per_mtok": money}
overrides = some(
    comment=texts,
    provider_aliases=st.dictionaries(texts | st.sampled_from(["A", "a"]), texts, max_size=3).filter(
        lambda aliases: len({name.lower() for name in aliases}) == len(aliases)
    ),
    prices=st.lists(
        with_some(
            {
                "provider": texts,
                "model": texts,
                "start_date": st.dates().map(lambda day: day.isoformat()),
                "source_url": st.just("https://example.org/prices"),
                **_rates,
            },
            context=st.sampled_from(["standard", "batch", "priority", "flex"]),
            long_context=with_some({"above_input_tokens": counts, **_rates}, **_cache),
            **_cache,
        ),
        max_size=3,
    ),
)

plans = with_some(
    {"run_id": texts, "name": texts, "target": texts, "store_dir": texts, "cases_path": texts},
    shape=st.sampled_from(["constant", "poisson", "ramp"]),
    rps=amounts,
    peak_rps=amounts,
    duration_s=st.floats(0.1, 1e4),
    step_count=st.integers(2, 1000),
    users=counts,
    replay_ms=st.lists(st.floats(-1e9, 1e9), max_size=3),
    max_requests=counts,
    seed=st.integers(-(2**63), 2**63 - 1),
    header_env=st.dictionaries(texts, texts, max_size=2),
    workers=st.integers(1, 64),
    model=texts | st.none(),
)

offsets = st.lists(
    st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-9 or value == 0) | st.integers(0, 10**12),
    max_size=6,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=4,
)
datasets = st.lists(
    with_some(
        {"case_id": texts, "archetype": texts, "industry": texts, "brief": words},
        language=texts,
        options=st.lists(texts, max_size=3),
        figures=st.lists(texts, max_size=3),
        expected=st.dictionaries(names, json_values, max_size=2),
        constraints=json_values,
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda case: case["case_id"],
)

csv_datasets = st.lists(
    st.fixed_dictionaries(
        {
            "case_id": texts,
            "archetype": texts,
            "industry": texts,
            "brief": texts,
            "options": st.lists(texts, max_size=3),
        }
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda case: case["case_id"],
)

faults = st.lists(
    with_some(
        {"kind": st.sampled_from(["rate_limited", "cut", "stall", "429", "529", "malformed"])},
        rate=ratios,
        model=texts,
        first=counts,
        retry_after_ms=amounts | st.none(),
        delay_ms=amounts,
        after_share=ratios,
    ),
    max_size=3,
)

moments = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
_requests = with_some(
    {"request_id": texts, "status": st.sampled_from(["ok", "error", "timeout"])},
    seq=counts,
    scenario=texts,
    started_at=moments,
    latency_ms=amounts,
    http_status=st.integers(100, 599),
    warmup=st.booleans(),
    cost_usd=st.integers(0, 1000),
    unpriced=st.booleans(),
    quality_tier=st.sampled_from(["high", "medium", "low"]),
    stages_ms=st.dictionaries(names, amounts, max_size=2),
)
_calls = with_some(
    {
        "request_id": texts,
        "call_id": texts,
        "role": st.sampled_from(["draft", "repair"]),
        "attempt": counts,
        "provider": texts,
        "model": texts,
        "started_at": moments,
        "latency_ms": amounts,
        "outcome": st.sampled_from(["ok", "error"]),
    },
    input_tokens=counts,
)
_grades = with_some(
    {"request_id": texts, "grader": names, "score": ratios | st.none(), "passed": st.booleans() | st.none()},
    detail=st.dictionaries(names, json_values, max_size=2),
)
reports = st.fixed_dictionaries(
    {
        "schema": st.just("harness.report.v1"),
        "run": with_some(
            {
                "run_id": texts,
                "kind": st.sampled_from(["baseline", "eval"]),
                "name": texts,
                "status": st.just("completed"),
                "started_at": moments,
            },
            target=texts,
            environment=texts,
            config=st.dictionaries(names, json_values, max_size=2),
        ),
        "requests": st.lists(_requests, max_size=3),
        "calls": st.lists(_calls, max_size=2),
        "grades": st.lists(_grades, max_size=2),
    }
)

patterns = st.lists(
    st.sampled_from([r"cust-\d+", "[A-Z]{2}[0-9]{6}", "(?i)internal", CANARY, "ä+ß", r"a\|b"]), max_size=4
)

environments = some(
    LLM_PROVIDER=st.sampled_from(["anthropic", "openai", "fixtures"]),
    LLM_MODEL=st.sampled_from(["auto", "some-model"]),
    COST_MAX_USD=st.decimals("0.01", 1000, places=2).map(str),
    LLM_STRATEGY=names,
    HARNESS_ENV=names,
    DD_AGENT_PORT=st.integers(1, 65_535).map(str),
    DD_AGENT_HOST=st.just("127.0.0.1"),
    OPENAI_BASE_URL=st.just("http://127.0.0.1:9/v1"),
    OPENAI_API_KEY=st.just(CANARY),
    HARNESS_ALERT_WEBHOOK=st.just("https://hooks.example.org/T0/B0"),
)


variable_names = st.sampled_from(
    [
        "LLM_PROVIDER", "LLM_MODEL", "LLM_STRATEGY", "COST_MAX_USD", "HARNESS_ENV", "DD_ENV", "DD_AGENT_HOST",
        "DD_AGENT_PORT", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY", "ANTHROPIC_API_KEY",
        "HARNESS_ALERT_WEBHOOK", "PROVIDERS_CONFIG_PATH",
    ]
)  # fmt: skip


def json_bytes(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
