"""The providers file: `{defaults, overrides, providers}`, read strictly.

Every mistake is one sentence that names the file and the place in it.
"""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.inputs import LARGEST_SETTINGS_BYTES, checked, load_json
from harness.plugins import absolute
from harness.providers.base import CostSource

ProviderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Api = Literal["chat", "responses"]
TaskKey = Literal["draft_graph", "repair_graph", "suggest_options"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RouteChoice(_Strict):
    """A provider and a model; either may be left to a lower level of precedence."""

    provider: str | None = Field(default=None, min_length=1, max_length=64)
    model: str | None = Field(default=None, min_length=1, max_length=200)


class ProviderEntry(_Strict):
    """How to reach a named provider. `api_key_env` names the variable; the key itself never stands here.

    `cost` says whose bill counts where the provider tells its own: `ours`, by the price book, or `provider`.
    `api` is OpenAI's route, for all models or by patterns of their names.
    """

    kind: str = Field(min_length=1, max_length=1000)
    base_url: str | None = None
    api_key_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    local: bool = False
    stream: bool = True
    cost: CostSource = "ours"
    api: Api | dict[str, Api] | None = None

    def api_of(self, model: str) -> Api | None:
        """The route for a model, by the first pattern that matches; None leaves it to the model."""
        if not isinstance(self.api, dict):
            return self.api
        return next((api for pattern, api in self.api.items() if fnmatchcase(model, pattern)), None)


class ProvidersFile(_Strict):
    """The whole file; everything in it is optional."""

    defaults: RouteChoice = RouteChoice()
    overrides: dict[TaskKey, RouteChoice] = Field(default_factory=dict)
    providers: dict[ProviderName, ProviderEntry] = Field(default_factory=dict)


def load_providers_file(path: Path) -> ProvidersFile:
    """The file's content, checked; a kind by path, `./file.py:name`, is relative to the file.

    Raises:
        ConfigError: unreadable, too large, not JSON, or not of this shape.
    """
    file = checked(ProvidersFile, load_json(path, LARGEST_SETTINGS_BYTES), str(path))
    here = {
        name: entry.model_copy(update={"kind": kind})
        for name, entry in file.providers.items()
        if (kind := absolute(entry.kind, path.parent)) != entry.kind
    }
    return file.model_copy(update={"providers": {**file.providers, **here}}) if here else file
