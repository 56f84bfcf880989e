"""What the emulated models say."""

from harness.emulator.answers.judge import JudgeLeanings
from harness.emulator.answers.respond import Answer, Behaviour, Question, respond

__all__ = ["Answer", "Behaviour", "JudgeLeanings", "Question", "respond"]
