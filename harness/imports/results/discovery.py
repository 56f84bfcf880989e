"""Which tool wrote a file: every format in the folder is asked, and looks at content, never at the name."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from harness.errors import ConfigError, UsageError
from harness.imports.results import formats as folder
from harness.imports.results.observed import Contents
from harness.imports.results.source import ResultFile, first_keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFormat:
    """One tool's files.

    Attributes:
        name: as `--format` takes it.
        title: what it reads, for people.
        recognises: whether a file is one of them.
        contents: what such a file holds; raises ConfigError where it is broken.
    """

    name: str
    title: str
    recognises: Callable[[ResultFile], bool]
    contents: Callable[[ResultFile], Contents]


@cache
def result_formats() -> tuple[ResultFormat, ...]:
    """Every format there is, by name."""
    modules = [
        importlib.import_module(f"{folder.__name__}.{entry.name}")
        for entry in pkgutil.iter_modules(folder.__path__)
    ]
    return tuple(
        ResultFormat(
            name=module.__name__.rpartition(".")[2].replace("_", "-"),
            title=module.TITLE,
            recognises=module.recognises,
            contents=module.contents,
        )
        for module in modules
    )


def format_of(source: ResultFile, name: str | None = None) -> ResultFormat:
    """The format that a file is in.

    Args:
        source: the file.
        name: what the user says it is; the file must still look like it.

    Raises:
        UsageError: there is no format of that name.
        ConfigError: the file is in none, or not in that one.
    """
    known = {item.name: item for item in result_formats()}
    if name is not None:
        if name not in known:
            raise UsageError(f"--format '{name[:40]}': there is {', '.join(known)}")
        if not known[name].recognises(source):
            raise ConfigError(
                str(source.path), f"is not {known[name].title}; it begins with {first_keys(source)}"
            )
        return known[name]
    for item in known.values():
        if item.recognises(source):
            return item
    titles = "; ".join(item.title for item in known.values())
    keys = first_keys(source)
    begins = f"it begins with {keys}" if keys else "it is neither JSON nor CSV nor a zip archive"
    raise ConfigError(str(source.path), f"is no result file that is known: {begins}. Known are {titles}")
