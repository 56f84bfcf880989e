"""Text of unknown origin made safe to carry: any encoder takes it, nobody runs it."""


def clean_text(text: str) -> str:
    """The text without lone surrogates and control characters, white space folded to single spaces."""
    readable = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    if readable.isprintable():
        return " ".join(readable.split())
    return " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in readable).split())


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis for what was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
