"""What `--cache` adds to an evaluation: a folder of answers in the store, and a word about it."""

from rich.console import Console
from rich.text import Text

from harness.evaluation.cache import FOLDER, ResponseCache
from harness.evaluation.settings import EvalPlan
from harness.store.spool.redact import Redactor


def open_cache(plan: EvalPlan, run_id: str, console: Console) -> ResponseCache:
    """The store's cache, announced: it keeps what models say as text."""
    folder = plan.store_dir / FOLDER
    console.print(
        Text(
            f"cache: answers are kept as text in {folder}, and those kept there are not asked for; repeats "
            "after the first are always asked"
        ),
        soft_wrap=True,
    )
    return ResponseCache(
        folder=folder,
        run_id=run_id,
        redactor=Redactor.from_environment(),
        origin=None if plan.live else emulated_origin(plan),
        on_problem=lambda sentence: console.print(Text(f"warning: {sentence}", "yellow"), soft_wrap=True),
    )


def emulated_origin(plan: EvalPlan) -> str:
    """What tells this emulator's answers from others, and from any real provider's; its port does not."""
    embedded = plan.embedded
    parts = (embedded.seed, embedded.defect_rate, embedded.faults)
    return f"emulator {parts}"
