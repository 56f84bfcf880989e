"""Child processes end with their parent, however it ends.

The parent keeps the write end of a pipe that the child reads. When the parent dies, even by kill -9, the
kernel closes the pipe and the child ends within `GRACE_S`, so that nobody goes on spending.
"""

import os
import signal

# Bound here, at import: gevent replaces both names in the Locust process, where this must stay a real thread.
from _thread import start_new_thread
from time import sleep

LIFELINE_ENV = "HARNESS_LIFELINE_FD"
GRACE_S = 1.5


def watch_lifeline() -> None:
    """End this process when its parent ends; does nothing in a process started without a lifeline.

    First SIGTERM to oneself (open connections and spools get `GRACE_S` to close), then `os._exit`.
    """
    text = os.environ.pop(LIFELINE_ENV, "")
    if not text.isdigit():
        return
    start_new_thread(_wait_for_parent, (int(text),))


def _wait_for_parent(read_fd: int) -> None:
    # Signals belong to the main thread. gevent's loop reads them from a signalfd, and one that reached this
    # thread instead would end the process by default, with its spool still open.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while os.read(read_fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    sleep(GRACE_S)
    os._exit(1)
