"""Text of unknown origin, fenced into a prompt so that it cannot close its own fence."""

import re


def fenced(tag: str, text: str) -> str:
    """The text between `<tag>` and `</tag>`; the same tags inside it are defused with `&lt;`."""
    inner = re.sub(rf"<(?=\s*/?\s*{re.escape(tag)}\b)", "&lt;", text, flags=re.IGNORECASE)
    return f"<{tag}>\n{inner}\n</{tag}>"
