"""Chat completions, of OpenAI and of whoever speaks like it, whole or chunk by chunk."""

from harness.providers.reading.answer import Heard
from harness.providers.reading.counts import Counted, chat_usage
from harness.providers.reading.excerpts import first_of
from harness.providers.reading.pieces import carries_token, text_of
from harness.providers.reading.room import Room
from harness.providers.reading.values import EMPTY, JsonObject, as_list, as_object


class ChatReading(Room):
    """One answer; see `Reading`."""

    def take_event(self, event: object, *, name: str = "") -> Heard:
        """Take one chunk in."""
        if not isinstance(event, dict):
            return Heard.NOTHING
        choices = as_list(event.get("choices"))
        return self._take(event, as_object(choices[0]) if choices else EMPTY, name)

    def take_whole(self, body: object) -> None:
        """Take an answer in one piece in."""
        told = as_object(first_of(body))
        choices = as_list(told.get("choices"))
        self._is_whole = bool(choices)
        self._take(told, as_object(choices[0]) if choices else EMPTY, "")

    def _take(self, told: JsonObject, choice: JsonObject, name: str) -> Heard:
        self._told_about(told)
        if told.get("service_tier"):
            self._tier = told["service_tier"]
        heard = self._take_choice(choice) if choice else Heard.NOTHING
        if told.get("error"):
            self._error = told
        elif choice.get("error"):
            self._error = {"error": choice["error"]}
        elif name == "error" or told.get("object") == "error" or told.get("type") == "error":
            self._error = told
        usage = told.get("usage") or choice.get("usage")  # in the choice at Moonshot
        if not usage and "x_groq" in told:
            usage = as_object(told["x_groq"]).get("usage")
        if usage:
            self._told_usage(as_object(usage), told)
        return heard

    def _take_choice(self, choice: JsonObject) -> Heard:
        spoken = as_object(choice.get("delta"))
        if not spoken and (self._is_whole or not self._heard_token):  # beside deltas it repeats them
            spoken = as_object(choice.get("message"))
        content = spoken.get("content")
        heard = self._said(content if isinstance(content, str) else text_of(content))
        if heard is Heard.NOTHING and spoken and carries_token(spoken):
            heard = self._other_token()
        if spoken.get("refusal"):
            self._is_refused = True
        if choice.get("finish_reason") is not None:
            self._told_reason(choice["finish_reason"])
        return heard

    def _counted(self, *, free_input: bool, free_output: bool) -> Counted:
        return chat_usage(self._usage, free_input=free_input, free_output=free_output)
