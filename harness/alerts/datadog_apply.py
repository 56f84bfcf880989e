"""Pushing dashboards and monitors through Datadog's official client; by name, so that twice is once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datadog_api_client import ApiClient
from datadog_api_client import Configuration as _Configuration
from datadog_api_client.exceptions import ApiException, ApiTypeError, ApiValueError, OpenApiException
from datadog_api_client.model_utils import UnparsedObject
from datadog_api_client.model_utils import validate_and_convert_types as _validate_and_convert_types
from datadog_api_client.v1.api.dashboards_api import DashboardsApi as _DashboardsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi as _MonitorsApi
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_update_request import MonitorUpdateRequest
from urllib3.exceptions import HTTPError

from harness.errors import ConfigError, HarnessError

KEY_VARIABLES = ("DD_API_KEY", "DD_APP_KEY")
URL_VARIABLE = "DD_API_URL"
_TIMEOUT_S = 30.0

# The client's constructors carry no types.
Configuration: Any = _Configuration
DashboardsApi: Any = _DashboardsApi
MonitorsApi: Any = _MonitorsApi
validate_and_convert_types: Any = _validate_and_convert_types


class DatadogError(HarnessError):
    """Datadog refused, or could not be reached; the message holds no key."""


@dataclass(frozen=True, slots=True)
class Applied:
    """One object at Datadog: what it is, its name, its id there, and whether it was new."""

    kind: str
    name: str
    id: str
    created: bool


def as_model(document: dict[str, Any], model: type) -> Any:
    """A document as the client's own model, every part of it understood.

    Raises:
        ValueError: the model refuses it, or leaves a part unparsed.
    """
    try:
        parsed = validate_and_convert_types(
            input_value=document,
            required_types_mixed=(model,),
            path_to_item=["document"],
            spec_property_naming=True,
            check_type=True,
            configuration=Configuration(),
        )
    except (ApiTypeError, ApiValueError, TypeError, AttributeError) as error:
        raise ValueError(f"not a {model.__name__}: {error}") from error
    left = unparsed(parsed)
    if left:
        raise ValueError(f"{model.__name__} leaves unparsed: {', '.join(left)}")
    return parsed


def unparsed(value: Any, path: str = "") -> list[str]:
    """Paths of everything below a model that the client did not understand."""
    if isinstance(value, UnparsedObject):
        return [path or "all of it"]
    found = []
    if isinstance(value, Mapping):
        found = [item for key, inner in value.items() for item in unparsed(inner, f"{path}.{key}")]
    elif isinstance(value, list | tuple):
        found = [item for n, inner in enumerate(value) for item in unparsed(inner, f"{path}[{n}]")]
    elif hasattr(value, "_data_store"):
        found = unparsed(value._data_store, path)  # noqa: SLF001 - the client offers no other way
        extra = set(getattr(value, "additional_properties", None) or {})
        found += [f"{path}.{name}" for name in sorted(extra)]
        if not found and getattr(value, "_unparsed", False):
            found = [path or "all of it"]
    return found


def apply(
    dashboards: list[dict[str, Any]], monitors: list[dict[str, Any]], env: Mapping[str, str]
) -> list[Applied]:
    """Create what is not there, update what is; found by its title or name.

    Args:
        dashboards: documents as `dashboards()` gives them.
        monitors: documents as `monitor(rule)` gives them.
        env: `DD_API_KEY`, `DD_APP_KEY`, and `DD_SITE` or `DD_API_URL`.

    Raises:
        ConfigError: a key is missing; names the variable.
        DatadogError: Datadog refused or cannot be reached.
    """
    try:
        with ApiClient(_configuration(env)) as client:
            return [
                *_apply_dashboards(DashboardsApi(client), dashboards),
                *_apply_monitors(MonitorsApi(client), monitors),
            ]
    except ApiException as error:
        hint = {401: ": is DD_API_KEY right?", 403: ": may DD_APP_KEY do this?"}.get(error.status, "")
        raise DatadogError(f"Datadog answered {error.status}{hint}") from None
    except (OpenApiException, HTTPError, OSError) as error:
        raise DatadogError(f"Datadog cannot be reached ({type(error).__name__})") from None


def _configuration(env: Mapping[str, str]) -> Any:
    for name in KEY_VARIABLES:
        if not env.get(name, "").strip():
            raise ConfigError(name, "is not set, but --apply needs it")
    url = env.get(URL_VARIABLE, "").strip().rstrip("/") or None
    configuration = Configuration(host=url, request_timeout=_TIMEOUT_S)
    configuration.api_key["apiKeyAuth"] = env["DD_API_KEY"].strip()
    configuration.api_key["appKeyAuth"] = env["DD_APP_KEY"].strip()
    if env.get("DD_SITE", "").strip():
        configuration.server_variables["site"] = env["DD_SITE"].strip()
    return configuration


def _apply_dashboards(api: Any, documents: list[dict[str, Any]]) -> list[Applied]:
    listed = api.list_dashboards().to_dict().get("dashboards", [])
    known = {item.get("title"): item.get("id") for item in listed}
    done = []
    for document in documents:
        body = as_model(document, Dashboard)
        there = known.get(document["title"])
        answer = api.update_dashboard(there, body) if there else api.create_dashboard(body)
        done.append(Applied("dashboard", document["title"], str(answer.id), created=there is None))
    return done


def _apply_monitors(api: Any, documents: list[dict[str, Any]]) -> list[Applied]:
    done = []
    for document in documents:
        # The name search also finds names that contain it.
        found = [item for item in api.list_monitors(name=document["name"]) if item.name == document["name"]]
        if found:
            changes = {name: value for name, value in document.items() if name != "type"}
            answer = api.update_monitor(found[0].id, as_model(changes, MonitorUpdateRequest))
        else:
            answer = api.create_monitor(as_model(document, Monitor))
        done.append(Applied("monitor", document["name"], str(answer.id), created=not found))
    return done
