"""Members of a zip archive, also those of method 93 (Zstandard), which Python 3.11 cannot unpack."""

import struct
import zipfile
from typing import Any

from harness.errors import ConfigError
from harness.imports.results.source import ResultFile, parsed

_ZSTANDARD = 93
_LOCAL_HEADER = struct.Struct("<26x2H")
_LOCAL_BYTES = 30
_MOST_MEMBER_BYTES = 1024**3


def member_names(source: ResultFile) -> list[str]:
    """The archive's members in its order; none where it is broken."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            return archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return []


def member_json(source: ResultFile, name: str) -> Any:
    """The JSON value of one member; None where it holds none.

    Raises:
        ConfigError: the archive is broken, or the member larger than can be read.
    """
    import zstandard  # noqa: PLC0415 - only archives need it

    try:
        with zipfile.ZipFile(source.path) as archive:
            entry = archive.getinfo(name)
            if entry.file_size > _MOST_MEMBER_BYTES:
                raise ConfigError(str(source.path), f"its member {name} is larger than can be read")
            if entry.compress_type != _ZSTANDARD:
                return parsed(archive.read(entry))
        with source.path.open("rb") as file:
            file.seek(entry.header_offset)
            names, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_BYTES))
            file.seek(names + extra, 1)
            packed = file.read(entry.compress_size)
        with zstandard.ZstdDecompressor().stream_reader(packed) as unpacked:
            return parsed(unpacked.read(entry.file_size))
    except (
        OSError,
        KeyError,
        struct.error,
        zipfile.BadZipFile,
        zstandard.ZstdError,
        NotImplementedError,
    ) as error:
        raise ConfigError(str(source.path), f"its member {name} cannot be unpacked") from error
