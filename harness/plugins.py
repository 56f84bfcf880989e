"""Plug-ins: one rule for tasks, graders, providers, sinks, scenarios and importers.

A name is looked up among what ships, then what this process registered, then what installed packages offer
under the kind's entry-point group. `./file.py:name` is a name in a Python file of the user's own. Whatever
cannot be found or loaded is one sentence.
"""

import inspect
import sys
import traceback
from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from harness.errors import ConfigError, UsageError
from harness.inputs import is_file

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

T = TypeVar("T")


class Plugins(Generic[T]):
    """All plug-ins of one kind: what they are is the room's to say, where they come from is said here.

    Args:
        kind: what messages call one: 'task', 'provider kind'.
        group: of entry points: 'harness.tasks'.
        shipped: `module:name` by name, imported when asked for; none of these can be replaced.
        extras: the package that a shipped one needs, by name; the extra that installs it is called the same.
    """

    def __init__(
        self,
        kind: str,
        group: str,
        *,
        shipped: Mapping[str, str] = MappingProxyType({}),
        extras: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.kind = kind
        self.group = group
        self.shipped = shipped
        self._extras = extras
        self._registered: dict[str, T] = {}

    def names(self) -> list[str]:
        """Every name that `find` knows, sorted."""
        return sorted({*self.shipped, *self._registered, *_points(self.group).names})

    def register(self, name: str, plugin: T) -> None:
        """Make a name known in this process, without a package (tests, notebooks, embedding programs).

        Raises:
            ConfigError: a shipped one cannot be replaced; records must mean what they say.
        """
        if name in self.shipped:
            raise ConfigError(f"{self.kind} '{name}'", "ships with harness and cannot be replaced")
        self._registered[name] = plugin

    def find(self, name: str, *, source: str | None = None, folder: Path | None = None) -> T:
        """The plug-in of a name, or of `./file.py:name`.

        Args:
            name: as the user wrote it.
            source: where, for messages: a file and line, a flag.
            folder: what a path is relative to; None for the current one.

        Raises:
            UsageError: there is none, or it cannot be loaded; a `ConfigError` where the source is known.
        """
        if is_path(name):
            return cast("T", object_at(name, folder or Path.cwd(), source or self.kind))
        if name in self.shipped:
            return self._shipped(name)
        if name in self._registered:
            return self._registered[name]
        if name in _points(self.group).names:
            return self._installed(name, source)
        raise _refused(source, f"no {self.kind} '{name[:60]}'; there are {', '.join(self.names()) or 'none'}")

    def plugged(self) -> list[T]:
        """All that do not ship: registered, then installed, by name.

        Raises:
            UsageError: one cannot be loaded.
        """
        installed = sorted(_points(self.group).names - self._registered.keys() - self.shipped.keys())
        return [*self._registered.values(), *(self._installed(name, None) for name in installed)]

    def _shipped(self, name: str) -> T:
        module, _, attribute = self.shipped[name].partition(":")
        try:
            return cast("T", getattr(import_module(module), attribute))
        except ImportError as error:
            if name not in self._extras:
                raise
            problem = f"needs {self._extras[name]}, which is not installed: pip install 'llm-harness[{name}]'"
            raise ConfigError(f"{self.kind} '{name}'", problem) from error

    def _installed(self, name: str, source: str | None) -> T:
        points = tuple(_points(self.group).select(name=name))
        packages = [point.dist.name if point.dist else "?" for point in points]
        if len(points) > 1:
            both = " and ".join(packages)
            raise _refused(source, f"{self.kind} '{name}' is offered by {both}: uninstall all but one")
        try:
            return cast("T", points[0].load())
        except Exception as error:  # whatever somebody else's package does while it is imported
            told = f"{type(error).__name__}: {error}"
            raise _refused(
                source, f"{self.kind} '{name}' of {packages[0]} cannot be loaded ({told})"
            ) from error


def is_path(reference: str) -> bool:
    """Whether a reference names a file of the user's own, `./file.py:name`, and no plug-in."""
    return reference.rpartition(":")[0].endswith(".py")


def absolute(reference: str, folder: Path) -> str:
    """A path made absolute, for who looks it up from another folder; a plug-in's name as it is."""
    file, _, name = reference.rpartition(":")
    return f"{(folder / file).resolve()}:{name}" if is_path(reference) else reference


def object_at(reference: str, folder: Path, source: str) -> Any:
    """The object of a reference like `./graders.py:polite`.

    Args:
        reference: the file, relative to the folder, and a name in it.
        folder: of the file that names it.
        source: where it is named, for messages.

    Raises:
        ConfigError: no such file or name, or a file that does not run; names its line.
    """
    file, _, name = reference.rpartition(":")
    module = module_at(file, folder, source)
    if name not in vars(module):
        raise ConfigError(source, f"{file} has no '{name[:60]}'{_own_names(module)}")
    return vars(module)[name]


def module_at(file: str, folder: Path, source: str) -> ModuleType:
    """A Python file of the user's own, run once as a module of its own; anew when its text has changed.

    Raises:
        ConfigError: no such file, or one that does not run; names its line.
    """
    path = (folder / file).resolve()
    if not is_file(path):
        raise ConfigError(source, f"there is no file '{file}' (looked in {folder})")
    name = f"harness_file_{_digest(path)}"
    if name in sys.modules:
        return sys.modules[name]
    return _run(path, name, source)


def source_digest(reference: str, folder: Path) -> str:
    """Of the text of a reference's file, so that a resumed run goes on as it began; empty without one."""
    path = folder / reference.rpartition(":")[0]
    return sha256(path.read_bytes()).hexdigest()[:16] if is_file(path) else ""


def _run(path: Path, name: str, source: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 - rarely needed

    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(source, f"{path.name} is no Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(f"{path}:{_line_of(error, path)}", f"{type(error).__name__}: {error}") from error
    return module


def _points(group: str) -> "EntryPoints":
    from importlib.metadata import entry_points  # noqa: PLC0415 - most commands ask for no plug-in

    return entry_points(group=group)


def _refused(source: str | None, problem: str) -> UsageError:
    return UsageError(problem) if source is None else ConfigError(source, problem)


def _digest(path: Path) -> str:
    return sha256(str(path).encode() + b"\0" + path.read_bytes()).hexdigest()[:16]


def _line_of(error: Exception, path: Path) -> int:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return error.lineno
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return frames[-1].lineno or 1 if frames else 1


def _own_names(module: ModuleType) -> str:
    """What the file itself defines, for the sentence about a name that it does not."""
    names = [
        name
        for name, value in vars(module).items()
        if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module.__name__
    ]
    return f" (there is: {', '.join(names)})" if names else ""
