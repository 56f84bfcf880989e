"""One brief, asked of a pipeline whose providers answer as scripted."""

from decimal import Decimal
from typing import Any

import pytest

from harness.errors import PipelineFailedError
from harness.orchestration import PipelineResult
from tests.orchestration.scripted import brief, pipeline

DRAFT_USD = Decimal("0.024")  # 2000 in, 1200 out at 3 and 15 dollars a million
MINI_USD = Decimal("0.00102")


async def run(chosen: Any = None, **options: Any) -> PipelineResult:
    return await pipeline(chosen, **options).run(brief(), request_id="r1", run_id="run1")


async def failure(chosen: Any = None, **options: Any) -> PipelineFailedError:
    with pytest.raises(PipelineFailedError) as caught:
        await run(chosen, **options)
    return caught.value
