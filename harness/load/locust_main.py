"""`python -m harness.load.locust_main ...`: Locust, patched by gevent first, tied to its parent, quiet.

The order matters: the lifeline must be a real thread, and importing Locust while a real thread runs
deadlocks unless gevent has patched the process before.
"""

import sys

from gevent import monkey

from harness.processes.lifeline import watch_lifeline


def main() -> None:
    """Run Locust's own command line."""
    monkey.patch_all()
    watch_lifeline()
    from locust.main import main as locust_main  # noqa: PLC0415 - after the patch, see above

    sys.argv[0] = "locust"
    locust_main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
