"""Any OpenAI-compatible endpoint: golden briefs to `POST /v1/chat/completions`, streamed.

locust -f scenarios/openai_chat.py --host http://127.0.0.1:4010/v1 --model gpt-4o-mini --headless
"""

from locust import events

from harness.load.locust_side import OpenLoopUser, attach

attach(events, "openai-chat")


class OpenAIChatLoad(OpenLoopUser):
    """One is enough: the schedule, not the number of users, decides the rate."""
