"""Child processes end with their parent, however it ends.

The parent keeps the write end of a pipe that the child reads. When the parent dies, even by kill -9, the
kernel closes the pipe and the child ends within `GRACE_S`, so that nobody goes on spending.
"""

import os
import signal
import threading
import time

LIFELINE_ENV = "HARNESS_LIFELINE_FD"
GRACE_S = 1.5


def watch_lifeline() -> None:
    """End this process when its parent ends; does nothing in a process started without a lifeline.

    First SIGTERM to oneself (open connections and spools get `GRACE_S` to close), then `os._exit`.
    """
    text = os.environ.pop(LIFELINE_ENV, "")
    if not text.isdigit():
        return
    threading.Thread(target=_wait_for_parent, args=(int(text),), name="lifeline", daemon=True).start()


def _wait_for_parent(read_fd: int) -> None:
    while os.read(read_fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
