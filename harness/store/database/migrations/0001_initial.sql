-- The tables other tools may rely on (design.md, "Columns"), and the store's own bookkeeping below.
-- TIMESTAMP holds UTC. Keys are kept by ingest, which quarantines what would break them.

CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    status VARCHAR NOT NULL,
    environment VARCHAR,
    target VARCHAR,
    provider_mode VARCHAR,
    git_sha VARCHAR,
    config JSON,
    harness_version VARCHAR,
    owner VARCHAR,          -- the spool whose lock tells that the run's process lives
    owner_since TIMESTAMP   -- when that owner began: a resumed run has a later one than started_at
);

CREATE TABLE requests (
    run_id VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    seq BIGINT,
    worker BIGINT,
    scenario VARCHAR,
    task VARCHAR,
    strategy VARCHAR,
    case_id VARCHAR,
    repeat BIGINT,
    scheduled_at TIMESTAMP,
    started_at TIMESTAMP,
    latency_ms DOUBLE,
    service_ms DOUBLE,
    server_ms DOUBLE,
    latency_source VARCHAR,
    lateness_ms DOUBLE,
    ttft_ms DOUBLE,
    itl_ms DOUBLE,
    http_status BIGINT,
    error_kind VARCHAR,
    error_message VARCHAR,
    warmup BOOLEAN,
    draft_source VARCHAR,
    draft_model VARCHAR,
    draft_cost_usd DECIMAL(18, 10),
    repair_source VARCHAR,
    repair_model VARCHAR,
    repair_cost_usd DECIMAL(18, 10),
    cost_usd DECIMAL(18, 10),
    unpriced BOOLEAN,
    mixed_providers BOOLEAN,
    prompt_cache_hit BOOLEAN,
    confidence DOUBLE,
    quality_score DOUBLE,
    score_basis VARCHAR,
    quality_tier VARCHAR,
    fallback_reason VARCHAR,
    environment VARCHAR,
    provider_mode VARCHAR,
    draft_input_tokens BIGINT,
    draft_cache_read_tokens BIGINT,
    draft_cache_write_tokens BIGINT,
    draft_output_tokens BIGINT,
    repair_input_tokens BIGINT,
    repair_cache_read_tokens BIGINT,
    repair_cache_write_tokens BIGINT,
    repair_output_tokens BIGINT,
    stages_ms JSON
);

CREATE TABLE calls (
    run_id VARCHAR,
    request_id VARCHAR NOT NULL,
    call_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    attempt BIGINT NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    started_at TIMESTAMP NOT NULL,
    latency_ms DOUBLE,
    outcome VARCHAR NOT NULL,
    provider_request_id VARCHAR,
    ttft_ms DOUBLE,
    input_tokens BIGINT,
    cache_read_tokens BIGINT,
    cache_write_5m_tokens BIGINT,
    cache_write_1h_tokens BIGINT,
    output_tokens BIGINT,
    reasoning_tokens BIGINT,
    price_context VARCHAR,
    error_kind VARCHAR,
    http_status BIGINT,
    retry_after_ms DOUBLE,
    stop_reason VARCHAR,
    cost_usd DECIMAL(18, 10),
    cost_reserved_usd DECIMAL(18, 10),
    unpriced_reason VARCHAR,
    price_source VARCHAR,
    price_version VARCHAR,
    priced_as VARCHAR
);

CREATE TABLE grades (
    run_id VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    grader VARCHAR NOT NULL,
    score DOUBLE,
    passed BOOLEAN,
    detail JSON
);

CREATE TABLE events (
    ts TIMESTAMP,
    name VARCHAR NOT NULL,
    request_id VARCHAR,
    run_id VARCHAR,
    environment VARCHAR,
    payload JSON
);

CREATE TABLE gate_results (
    run_id VARCHAR NOT NULL,
    ts TIMESTAMP NOT NULL,
    verdict VARCHAR NOT NULL,
    checks JSON
);

CREATE TABLE alert_events (
    ts TIMESTAMP NOT NULL,
    rule VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    value DOUBLE,
    threshold DOUBLE,
    detail JSON
);

-- Prompts and outputs; empty unless a producer was told to store content.
CREATE TABLE contents (
    run_id VARCHAR,
    request_id VARCHAR NOT NULL,
    call_id VARCHAR,
    kind VARCHAR NOT NULL,
    ts TIMESTAMP NOT NULL,
    text VARCHAR
);

-- What could not become a row: nothing is dropped in silence. `body` is the record's JSON, or the raw line.
CREATE TABLE quarantine (
    found_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,
    byte_offset BIGINT,
    type_name VARCHAR NOT NULL,
    problem VARCHAR NOT NULL,
    body VARCHAR
);

-- How far each spool file has been read; written in the same transaction as its rows.
CREATE TABLE spool_offsets (
    file VARCHAR NOT NULL,
    byte_offset BIGINT NOT NULL
);

-- Log files given to `harness ingest`: the prefix already taken, and its hash, so that a moved or copied
-- file is recognised and a rotated one begins anew.
CREATE TABLE ingested_files (
    source VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    byte_offset BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    lines BIGINT NOT NULL,
    bad_lines BIGINT NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- A run's end whose start has not come yet.
CREATE TABLE waiting_ends (
    run_id VARCHAR NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    status VARCHAR NOT NULL,
    provider_mode VARCHAR,
    summary JSON
);

-- What completed events told about requests that have not come yet.
CREATE TABLE waiting_facts (
    run_id VARCHAR NOT NULL,
    request_id VARCHAR NOT NULL,
    ts TIMESTAMP,
    status VARCHAR NOT NULL,
    error_kind VARCHAR,
    http_status BIGINT,
    task VARCHAR,
    strategy VARCHAR,
    server_ms DOUBLE,
    draft_source VARCHAR,
    draft_model VARCHAR,
    draft_cost_usd DECIMAL(18, 10),
    repair_source VARCHAR,
    repair_model VARCHAR,
    repair_cost_usd DECIMAL(18, 10),
    cost_usd DECIMAL(18, 10),
    unpriced BOOLEAN,
    mixed_providers BOOLEAN,
    prompt_cache_hit BOOLEAN,
    confidence DOUBLE,
    quality_score DOUBLE,
    score_basis VARCHAR,
    quality_tier VARCHAR,
    fallback_reason VARCHAR,
    environment VARCHAR,
    provider_mode VARCHAR,
    draft_input_tokens BIGINT,
    draft_cache_read_tokens BIGINT,
    draft_cache_write_tokens BIGINT,
    draft_output_tokens BIGINT,
    repair_input_tokens BIGINT,
    repair_cache_read_tokens BIGINT,
    repair_cache_write_tokens BIGINT,
    repair_output_tokens BIGINT,
    stages_ms JSON
);
