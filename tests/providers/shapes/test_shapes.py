"""Every shape of the table through the production path: budget, adapter, retry, price book, ledger."""

from decimal import Decimal

import pytest

from harness.orchestration.retry import RetryPolicy
from harness.providers import ProviderSettings
from harness.records import Prompt, Role
from tests.campaigns.asking import ask_through
from tests.providers.shapes import content, endings, refusals, usage
from tests.providers.shapes.shape import CHAT, CHAT_MODEL, MESSAGES_MODEL, Right, Shape
from tests.providers.wire import Reply, wire_server

ONCE = RetryPolicy(max_attempts=1)
SHAPES = [*usage.SHAPES, *content.SHAPES, *endings.SHAPES, *refusals.SHAPES]
CELLS = [
    pytest.param(shape, form, id=f"{shape.wire}-{shape.like}-{shape.name}-{form}")
    for shape in SHAPES
    for form in shape.forms
]
PROMPT = Prompt(role=Role.DRAFT, system="Be brief.", user="Say hello, canary-77aa.")


def reply_of(shape: Shape, form: str) -> Reply:
    if form == "stream":
        return Reply(shape.stream or (), headers=dict(shape.headers))
    body = [shape.whole] if shape.whole else []
    return Reply(body, status=shape.status, headers=dict(shape.headers), content_type="application/json")


@pytest.mark.parametrize(("shape", "form"), CELLS)
async def test_a_shape_is_read_priced_and_recorded(shape: Shape, form: str) -> None:
    right = shape.right
    async with wire_server([reply_of(shape, form)]) as server:
        settings = ProviderSettings(
            name=shape.wire,
            kind=shape.wire,
            base_url=server.url,
            api_key="sk-test-000000",
            stream=form == "stream" or shape.status >= 400,
        )
        model = CHAT_MODEL if shape.wire == CHAT else MESSAGES_MODEL
        asked = await ask_through(settings, model, PROMPT, policy=ONCE)
    assert asked.kinds == [right.kind], asked.error
    (call,) = asked.calls
    answer = asked.completion or asked.error
    assert answer is not None
    tokens = (
        call.input_tokens,
        call.output_tokens,
        call.cache_read_tokens,
        call.cache_write_5m_tokens,
        call.cache_write_1h_tokens,
        call.reasoning_tokens,
    )
    assert tokens == _tokens(right)
    assert call.cost_usd == right.cost_usd(shape.wire)
    assert asked.budget.committed_usd == (call.cost_reserved_usd if call.cost_usd is None else call.cost_usd)
    assert call.retry_after_ms == right.wait_ms
    assert call.finish_reason == right.finish
    assert right.remark is None or right.remark in call.usage_remark
    assert bool(call.usage_remark) == bool(right.remark) or right.input is None
    assert call.provider_cost_usd == (None if right.own_cost is None else Decimal(right.own_cost))
    assert right.served is None or call.served_model == right.served
    assert right.request_id is None or call.provider_request_id == right.request_id
    if asked.completion is not None:
        assert asked.completion.text == right.text
    if asked.error is not None:
        assert right.says in str(asked.error)
        assert "canary" not in str(asked.error)


def _tokens(right: Right) -> tuple[int | None, ...]:
    if right.input is None:
        return (None,) * 6
    return (right.input, right.output, right.read, right.write_5m, right.write_1h, right.reasoning)
