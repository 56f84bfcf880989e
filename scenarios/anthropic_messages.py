"""Anthropic's wire: golden briefs to `POST /v1/messages`, streamed.

locust -f scenarios/anthropic_messages.py --host http://127.0.0.1:4010 --model claude-sonnet-4-5 --headless
"""

from locust import events

from harness.load.locust_side import OpenLoopUser, attach

attach(events, "anthropic-messages")


class AnthropicMessagesLoad(OpenLoopUser):
    """One is enough: the schedule, not the number of users, decides the rate."""
