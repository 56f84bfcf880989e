"""A file's bytes and text, bounded; whatever is wrong with it is one sentence."""

from pathlib import Path

from harness.errors import ConfigError

LARGEST_SETTINGS_BYTES = 200_000
"""Settings that people write. PyYAML reads about 100,000 bytes a second: more would look like a hang."""


def is_file(path: Path) -> bool:
    """True for a file that is there; False also for a name that none can have."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_bytes(path: Path, most_bytes: int, *, source: str | None = None) -> bytes:
    """A file's bytes.

    Args:
        path: the file.
        most_bytes: a larger file is refused, unread.
        source: what messages call it; None for the path itself.

    Raises:
        ConfigError: it cannot be opened or read, or is larger.
    """
    name = source or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise ConfigError(name, f"cannot be read ({error.strerror or type(error).__name__})") from error
    except ValueError as error:  # a NUL in the path, which comes from another file
        raise ConfigError(name, "cannot be read (no file can have this name)") from error
    if len(data) > most_bytes:
        raise ConfigError(name, f"is larger than {most_bytes:,} bytes")
    return data


def read_text(path: Path, most_bytes: int, *, source: str | None = None) -> str:
    """A file's text, without a byte order mark; errors as `read_bytes`, and what is not UTF-8."""
    return decoded(read_bytes(path, most_bytes, source=source), source or str(path))


def decoded(data: bytes, source: str) -> str:
    """Bytes as text, without a byte order mark.

    Raises:
        ConfigError: not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(source, "is not UTF-8 text") from error
