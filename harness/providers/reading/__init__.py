"""What providers answer, read from plain JSON: one room a wire, one record of what was told.

The rooms hold no clock, no connection and no SDK type, so that adapters, load scenarios and imports of
other tools' logs read the same bytes the same way:

    answer.py               ReadAnswer, and the protocol of a room
    openai_chat.py          chat completions, whole and streamed
    openai_responses.py     OpenAI's responses, likewise
    anthropic_messages.py   Anthropic messages, likewise
    gemini.py               Gemini's own answers, likewise
    bedrock_converse.py     Bedrock's Converse, likewise
    by_hand.py              a plug-in's own wire
    body.py                 a body's bytes into a room
    counts.py               the one normaliser of token counts
    room.py                 what the rooms share
    endings.py              finish reasons and what each means
    bill.py                 the provider's own bill and the terms it rests on
    failures.py             error words and statuses, and the kind each means
    excerpts.py             a provider's words made safe to show
    pieces.py               the answer's text, its thinking left out
    values.py               JSON values read with suspicion
    headers.py              request ids, own cost and rate limits in response headers
    events.py               server-sent events out of bytes, bounded
"""

from harness.providers.reading.answer import Heard, ReadAnswer, Reading
from harness.providers.reading.anthropic_messages import MessagesReading
from harness.providers.reading.bedrock_converse import ConverseReading
from harness.providers.reading.gemini import GeminiReading
from harness.providers.reading.openai_chat import ChatReading
from harness.providers.reading.openai_responses import ResponsesReading

__all__ = [
    "ChatReading",
    "ConverseReading",
    "GeminiReading",
    "Heard",
    "MessagesReading",
    "ReadAnswer",
    "Reading",
    "ResponsesReading",
]
