"""What Python's garbage collector need not look through again."""

import atexit
import gc


def settle() -> None:
    """Leave all that lives now out of later collections, until the process ends.

    Streamlit, pandas and Plotly are half a million objects that stay for ever; a full collection in the midst
    of a page's arithmetic looks through them all, which took a tenth of the Overview's time.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or DuckDB's bindings report what they could not free
