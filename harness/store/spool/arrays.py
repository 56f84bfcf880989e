"""Arrow arrays over NumPy's and Python's own memory.

`pyarrow.array` imports pandas first, to see whether it was given a series: 0.3 s that no command needs.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def integers(values: npt.NDArray[np.int64] | Sequence[int]) -> pa.Array:
    """An `int64` array of shape (n,)."""
    held = np.ascontiguousarray(values, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])


def texts(bodies: Sequence[bytes]) -> pa.Array:
    """A `large_string` array of shape (n,) over one joined buffer; the bytes are UTF-8."""
    ends = np.zeros(len(bodies) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, bodies), dtype=np.int64, count=len(bodies)), out=ends[1:])
    return texts_between(ends, b"".join(bodies))


def texts_between(edges: npt.NDArray[np.int64], data: bytes) -> pa.Array:
    """A `large_string` array of shape (n - 1,): what lies in `data` between each edge and the next."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(edges)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(edges) - 1, buffers)


def repeated(text: str, count: int) -> pa.Array:
    """A `string` array of shape (count,) that holds one text throughout."""
    body = text.encode()
    return texts_between(np.arange(count + 1, dtype=np.int64) * len(body), body * count).cast(pa.string())
