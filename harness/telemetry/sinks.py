"""Which sinks the environment and the command line ask for."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from harness.errors import ConfigError, UsageError
from harness.plugins import Plugins
from harness.telemetry.base import Sink
from harness.telemetry.dogstatsd import DEFAULT_PORT, DogStatsdSink
from harness.telemetry.jsonl import JsonlSink

OTLP_VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"

_PLUGGED: Plugins[Callable[[], Sink]] = Plugins("sink", "harness.sinks")


def configured_sinks(
    env: Mapping[str, str], *, jsonl: Path | None = None, environment: str | None = None
) -> list[Sink]:
    """The sinks to start with: a JSONL file, a Datadog agent, an OTLP endpoint, and installed plug-ins.

    Args:
        env: `DD_AGENT_HOST`, `DD_AGENT_PORT`, `DD_SERVICE`, `DD_ENV`, `OTEL_EXPORTER_OTLP_ENDPOINT`.
        jsonl: the file of events, if wanted.
        environment: for backends that want one, where `DD_ENV` says nothing.

    Raises:
        ConfigError: a variable is wrong, or OTLP is asked for without its extra installed.
        UsageError: the JSONL file cannot be written.
    """
    service = env.get("DD_SERVICE", "").strip() or "harness"
    sinks: list[Sink] = []
    if jsonl is not None:
        sinks.append(_jsonl(jsonl))
    host = env.get("DD_AGENT_HOST", "").strip()
    if host:
        tag = env.get("DD_ENV", "").strip() or environment
        sinks.append(DogStatsdSink(host, _port(env), service=service, env=tag))
    if env.get(OTLP_VARIABLE, "").strip():
        sinks.append(_otlp(service, environment))
    return [*sinks, *(make() for make in _PLUGGED.plugged())]


def _jsonl(path: Path) -> JsonlSink:
    try:
        return JsonlSink(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error


def _port(env: Mapping[str, str]) -> int:
    text = env.get("DD_AGENT_PORT", "").strip()
    if not text:
        return DEFAULT_PORT
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536):
        raise ConfigError("DD_AGENT_PORT", f"'{text[:40]}' is not a port")
    return int(text)


def _otlp(service: str, environment: str | None) -> Sink:
    try:
        otel = import_module("harness.telemetry.otel")
    except ImportError as error:
        raise ConfigError(OTLP_VARIABLE, "is set, but the extra 'otel' is not installed") from error
    sink: Sink = otel.otlp_sink(service=service, environment=environment)
    return sink
