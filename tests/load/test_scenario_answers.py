"""What a scenario makes of answers: success, cost to the digit or the reason, streams, steps, tags."""

import json
from decimal import Decimal

import pytest

from harness.load.recorder import gap_of
from harness.records import CostSource, ErrorKind, ProviderMode, RequestStatus, StreamUnit, Tier
from tests.e2e.foreign_service import MODEL, foreign_service
from tests.load.asking import ask_once, case_of, written
from tests.load.target import running_target

OPENAI = {"prompt_tokens": 1000, "completion_tokens": 200}
PRICED = "path: /x\nbody: {}\nprovider: openai\nmode: live\n"


def answer_to(folder, text, payload=None, *, status=200, headers=None, frames=None, env=None, **fields):
    """The answer that a scenario makes of what a target says."""
    with running_target() as target:
        target.status, target.payload, target.frames = status, payload, frames
        target.extra_headers = headers or {}
        exchange = written(folder, text, target.url, env=env, **fields)
        return ask_once(exchange, target.url, case_of(plan="pro", n=3))


def usage_of(shape, **usage):
    return {"shape": shape, "usage": usage}


@pytest.mark.parametrize(
    ("answer", "payload", "cost"),
    [
        # 1,000 in at 0.15 and 200 out at 0.6 dollars per million
        ("{model: /model, usage: openai}", {"model": MODEL, "usage": OPENAI}, "0.00027"),
        ("{model: /m/id, usage: {shape: openai, at: /m/u}}", {"m": {"id": MODEL, "u": OPENAI}}, "0.00027"),
        (
            "{model: /model, usage: {input: /t/in, output: /t/out, cache_read: /t/hit}}",
            {"model": MODEL, "t": {"in": 1000, "out": 200, "hit": 400}},
            "0.00024",
        ),
        (
            "{model: /model, usage: responses}",
            {
                "model": MODEL,
                "usage": {
                    "input_tokens": 1000,
                    "output_tokens": 200,
                    "input_tokens_details": {"cached_tokens": 400},
                },
            },
            "0.00024",
        ),
        # Anthropic's way: 600 beside 400 that a cache served; at OpenAI's prices the same as above
        (
            "{model: /model, usage: anthropic}",
            {
                "model": MODEL,
                "usage": {"input_tokens": 600, "output_tokens": 200, "cache_read_input_tokens": 400},
            },
            "0.00024",
        ),
        (
            "{model: /model, usage: gemini}",
            {
                "model": MODEL,
                "usageMetadata": {
                    "promptTokenCount": 1000,
                    "candidatesTokenCount": 150,
                    "thoughtsTokenCount": 50,
                },
            },
            "0.00027",
        ),
        (
            "{model: /model, usage: bedrock}",
            {"model": MODEL, "usage": {"inputTokens": 1000, "outputTokens": 200}},
            "0.00027",
        ),
    ],
)
def test_usage_of_every_shape_costs_what_the_price_book_says(tmp_path, answer, payload, cost):
    columns = answer_to(tmp_path, f"{PRICED}answer: {answer}\n", payload).columns
    assert (columns["cost_usd"], columns["draft_cost_usd"]) == (Decimal(cost), Decimal(cost))
    assert (columns["cost_source"], columns["unpriced"]) == (CostSource.USAGE, False)
    assert (columns["draft_source"], columns["draft_model"]) == ("openai", MODEL)
    assert (columns["draft_input_tokens"], columns["draft_output_tokens"]) == (1000, 200)
    assert columns["provider_mode"] is ProviderMode.LIVE


@pytest.mark.parametrize(
    ("told", "headers", "cost"),
    [
        ({"cost": 0.0123}, {}, "0.0123"),
        ({"cost": "0.00000001"}, {}, "0.00000001"),
        ({}, {"X-Cost": "1.5e-3"}, "0.0015"),
        ({"cost": 0}, {}, "0"),
    ],
)
def test_a_cost_that_the_answer_tells_goes_before_its_usage(tmp_path, told, headers, cost):
    place = "header:X-Cost" if headers else "/cost"
    text = f'{PRICED}answer: {{model: /model, usage: openai, cost_usd: "{place}"}}\n'
    columns = answer_to(tmp_path, text, {"model": MODEL, "usage": OPENAI, **told}, headers=headers).columns
    assert (columns["cost_usd"], columns["cost_source"]) == (Decimal(cost), CostSource.TOLD)


@pytest.mark.parametrize(
    ("text", "payload", "because"),
    [
        ("path: /x\nbody: {}\n", {}, "neither its cost nor its usage"),
        (f"{PRICED}answer: {{usage: openai, model: /model}}\n", {"model": MODEL}, "does not tell its usage"),
        (f"{PRICED}answer: {{usage: openai}}\n", {"usage": OPENAI}, "names a model"),
        (
            f"{PRICED}answer: {{usage: openai, model: /model}}\n",
            {"model": "gpt-nope", "usage": OPENAI},
            "gpt-nope",
        ),
        (
            "path: /x\nbody: {}\nanswer: {usage: openai, model: /model}\n",
            {"model": MODEL, "usage": OPENAI},
            "names a provider",
        ),
        (
            f"{PRICED}answer: {{usage: openai, model: /model}}\n",
            {"model": MODEL, "usage": {"prompt_tokens": "many", "completion_tokens": 2}},
            "no number of tokens",
        ),
        (f"{PRICED}answer: {{cost_usd: /cost}}\n", {"cost": -1}, "neither its cost nor its usage"),
    ],
)
def test_an_unknown_cost_is_none_and_says_why(tmp_path, text, payload, because):
    columns = answer_to(tmp_path, text, payload).columns
    assert "cost_usd" not in columns
    assert columns["unpriced"] is True
    assert because in columns["unpriced_because"]


def test_a_price_of_the_scenario_stands_for_a_model_of_ones_own(tmp_path):
    text = "path: /x\nbody: {}\nprice: openai/gpt-4o-mini\nanswer: {model: /model, usage: openai}\n"
    columns = answer_to(tmp_path, text, {"model": "our-7b", "usage": OPENAI}).columns
    assert (columns["cost_usd"], columns["draft_model"]) == (Decimal("0.00027"), "our-7b")
    assert "draft_source" not in columns


def test_prices_of_ones_own_count(tmp_path):
    book = tmp_path / "prices.json"
    entry = {
        "provider": "acme",
        "model": "our-7b",
        "start_date": "2024-01-01",
        "source_url": "https://acme.example/prices",
    }
    usd = {"input_usd_per_mtok": "2", "output_usd_per_mtok": "6"}
    book.write_text(json.dumps({"provider_aliases": {}, "prices": [entry | usd]}))
    text = "path: /x\nbody: {}\nprovider: acme\nanswer: {model: /model, usage: openai}\n"
    env = {"HARNESS_PRICES": str(book)}
    columns = answer_to(tmp_path, text, {"model": "our-7b", "usage": OPENAI}, env=env).columns
    assert columns["cost_usd"] == Decimal("0.0032")


def test_a_machine_is_shared_by_the_requests_of_the_schedule(tmp_path):
    text = "path: /x\nbody: {}\nprice: {usd_per_hour: 3.6}\n"
    open_loop = answer_to(tmp_path, text, {}, rps=4, duration_s=10).columns
    assert (open_loop["cost_usd"], open_loop["cost_source"]) == (Decimal("0.00025"), CostSource.HOURLY)
    failed = answer_to(tmp_path, text, {}, status=500, rps=4, duration_s=10)
    assert failed.columns["cost_usd"] == Decimal("0.00025")  # the machine is paid for all the same
    closed = answer_to(tmp_path, text, {}, users=2).columns["cost_usd"]
    assert Decimal(0) < closed < Decimal("0.0005")


SUCCESS = (
    "path: /x\nbody: {}\nsuccess: {status: [200, 201], exists: /a, equals: {/b: 1}, matches: {/c: '^ok'}}\n"
)


@pytest.mark.parametrize(
    ("status", "payload", "said"),
    [
        (201, {"a": 1, "b": 1, "c": "okay"}, None),
        (200, {"a": None, "b": 1, "c": "ok"}, "the answer has no /a"),
        (200, {"a": 1, "b": True, "c": "ok"}, "/b is not 1"),
        (200, {"a": 1, "c": "ok"}, "the answer has no /b"),
        (200, {"a": 1, "b": 1, "c": "not ok"}, "/c does not match"),
        (202, {"a": 1, "b": 1, "c": "ok"}, "status 202, where 200, 201 is an answer"),
    ],
)
def test_what_counts_as_an_answer_is_what_the_scenario_says(tmp_path, status, payload, said):
    answer = answer_to(tmp_path, SUCCESS, payload, status=status)
    if said is None:
        assert answer.status is RequestStatus.OK
    else:
        assert answer.error_kind is ErrorKind.BAD_OUTPUT
        assert said in answer.error_text


def test_a_status_that_is_no_success_elsewhere_may_be_one_here(tmp_path):
    answer = answer_to(tmp_path, "path: /x\nbody: {}\nsuccess: [404]\n", {}, status=404)
    assert (answer.status, answer.http_status) == (RequestStatus.OK, 404)


def test_tier_score_id_times_and_tags(tmp_path):
    text = """\
path: /x
body: {}
answer: {tier: /q/tier, score: /q/score, id: "header:X-Trace", server_ms: /ms, stages_ms: {find: /find}}
tags: {plan: "{plan}", size: "n{n}", region: "header:X-Region", cached: /cached, gone: /gone, deep: /q}
"""
    payload = {"q": {"tier": "High", "score": 0.93}, "ms": 12.5, "find": 3, "cached": True}
    headers = {"X-Trace": "t-1", "X-Region": "eu", "Server-Timing": "draft;dur=7, total;dur=11"}
    columns = answer_to(tmp_path, text, payload, headers=headers).columns
    assert (columns["quality_tier"], columns["quality_score"]) == (Tier.HIGH, 0.93)
    assert (columns["answer_id"], columns["server_ms"]) == ("t-1", 12.5)
    assert columns["stages_ms"] == {"draft": 7.0, "find": 3.0}
    assert columns["tags"] == {"plan": "pro", "size": "n3", "region": "eu", "cached": "true"}


def test_emulated_answers_are_never_called_live(tmp_path):
    columns = answer_to(tmp_path, PRICED, {}, headers={"x-harness-emulated": "1"}).columns
    assert columns["provider_mode"] is ProviderMode.EMULATED


STREAM = """\
path: /v1/stream
body: {text: "{text}"}
provider: openai
stream: {kind: sse, content: "event:delta#/piece", done: {exists: "event:end#/usage"}}
answer: {model: "event:end#/model", usage: {shape: openai, at: "event:end#/usage"}}
"""


def foreign(folder, scenario, /, **columns):
    with foreign_service() as (url, ledger):
        answer = ask_once(written(folder, scenario, url), url, case_of(**columns))
    return answer, ledger


def test_a_stream_times_its_content_and_counts_its_tokens(tmp_path):
    answer, ledger = foreign(tmp_path, STREAM, text="x" * 90)
    assert (answer.status, answer.text, answer.chunks) == (RequestStatus.OK, "A short summary.", 3)
    assert answer.first_byte_ns <= answer.first_token_ns == answer.first_answer_ns < answer.last_token_ns
    gap_ms, unit = gap_of(answer)
    span_ms = (answer.last_token_ns - answer.first_token_ns) / 1e6
    assert unit is StreamUnit.TOKEN
    assert gap_ms == pytest.approx(span_ms / 2 * 3 / 12)  # three pieces held twelve tokens
    assert answer.columns["cost_usd"] == Decimal("0.0000207")  # 90 in, 12 out
    assert ledger.served[0]["input_tokens"] == answer.columns["draft_input_tokens"] == 90


def test_a_stream_whose_usage_is_not_told_counts_chunks(tmp_path):
    text = 'path: /v1/stream\nbody: {text: "x"}\nstream: {kind: sse, content: "event:delta#/piece"}\n'
    answer, _ = foreign(tmp_path, text)
    assert (answer.chunks, gap_of(answer)[1]) == (3, StreamUnit.CHUNK)


def test_a_cut_stream_and_an_error_event_are_failures(tmp_path):
    piece = b'event: delta\ndata: {"piece": "a"}\n\n'
    cut = answer_to(tmp_path, STREAM.replace("{text}", "x"), frames=[(0, piece)])
    assert (cut.error_kind, "event:end#/usage" in cut.error_text) == (ErrorKind.CONNECTION, True)
    text = 'path: /x\nbody: {}\nstream: {kind: sse, content: "event:delta#/piece", error: oops}\n'
    failed = answer_to(
        tmp_path, text, frames=[(0, piece), (0, b'event: oops\ndata: {"code": "RATE_LIMITED"}\n\n')]
    )
    assert (failed.status, failed.error_kind) == (RequestStatus.REJECTED, ErrorKind.RATE_LIMITED)


def test_chunks_are_pieces_of_text_or_lines_of_json(tmp_path):
    raw, _ = foreign(tmp_path, "path: /v1/chunks\nbody: {}\nstream: chunks\n")
    assert (raw.text, raw.chunks) == ("A short summary.", 3)
    text = "path: /v1/chunks\nbody: {lines: true}\nstream: {kind: chunks, content: /piece}\nanswer: {model: /model}\n"
    lines, _ = foreign(tmp_path, text)
    assert (lines.text, lines.chunks, lines.columns["draft_model"]) == ("A short summary.", 3, MODEL)


JOURNEY = """\
provider: openai
mode: live
steps:
  - name: login
    path: /v1/login
    body: {user: "{user}"}
    set: {token: /token}
  - name: ask
    path: /v1/jobs
    headers: {Authorization: "Bearer {token}"}
    body: {text: "{text}"}
    success: 202
    set: {job: /job/id}
  - name: wait
    path: /v1/jobs/{job}
    poll: {until: {equals: {/state: done}}, failed: {equals: {/state: failed}}, every_ms: 20, at_most_s: 5}
    answer: {text: /result/summary, model: /result/model, usage: {shape: anthropic, at: /result/usage}}
"""


def test_a_journey_hands_values_on_and_polls_until_it_is_done(tmp_path):
    answer, ledger = foreign(tmp_path, JOURNEY, user="load", text="hello")
    assert (answer.status, answer.text) == (RequestStatus.OK, "ok")
    assert [each["path"] for each in ledger.served] == [
        "/v1/login",
        "/v1/jobs",
        *["/v1/jobs/ID"] * 3,
    ]
    assert {each["id"] for each in ledger.served} == {"r-1"}
    stages = answer.columns["stages_ms"]
    assert list(stages) == ["login", "ask", "wait"]
    assert stages["wait"] >= 40  # two pauses
    assert answer.columns["cost_usd"] == Decimal("0.0000132")  # 40 in, 12 out


@pytest.mark.parametrize(
    ("text", "user", "said", "kind"),
    [
        (JOURNEY, "nobody", "step 'login': ", ErrorKind.AUTH),
        (JOURNEY.replace("/job/id", "/job/number"), "load", "step 'ask': the answer has no /job/number", ErrorKind.BAD_OUTPUT),
        (JOURNEY.replace("at_most_s: 5", "at_most_s: 0.03"), "load", "step 'wait': not done within 0.03 s", ErrorKind.TIMEOUT),
        (JOURNEY.replace("/state: failed", "/state: running"), "load", "step 'wait': the job failed", ErrorKind.BAD_OUTPUT),
        (JOURNEY.replace("Bearer {token}", "Bearer nonsense"), "load", "step 'ask': ", ErrorKind.AUTH),
    ],
)  # fmt: skip
def test_a_step_that_fails_ends_the_journey_under_its_name(tmp_path, text, user, said, kind):
    answer, _ = foreign(tmp_path, text, user=user, text="hello")
    assert answer.error_kind is kind
    assert answer.error_text.startswith(said)
    assert "cost_usd" not in answer.columns


def test_a_variable_that_no_step_has_set_is_a_missing_column(tmp_path):
    exchange = written(tmp_path, JOURNEY.replace("set: {token: /token}", "set: {tokn: /token}"))
    with pytest.raises(Exception, match=r"no column 'token' .* but .*own\.yaml:10 asks for it"):
        exchange.bound.parcel(case_of(user="load", text="x"))
