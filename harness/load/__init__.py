"""Open-loop load through Locust, in a subprocess, every request recorded.

`harness.load.locust_side`, `generator`, `reporter` and `transport` run only inside Locust, which patches the
process; nothing else imports them.
"""

from harness.load.arrivals import Segment, Spacing, schedule_ns, share_of_worker
from harness.load.plan import LoadPlan

__all__ = ["LoadPlan", "Segment", "Spacing", "schedule_ns", "share_of_worker"]
