"""Content against a pydantic model: the model, or one sentence that names the place and never the value."""

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigError
from harness.inputs.yaml_file import LocatedYaml

_NO_MAPPING = ("model_type", "model_attributes_type", "dict_type", "dataclass_type", "dataclass_exact_type")
Model = TypeVar("Model", bound=BaseModel)


def checked(model: type[Model], content: Any, source: str) -> Model:
    """The content as a model.

    Raises:
        ConfigError: it does not fit; names the source and the first wrong place.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ConfigError(source, first_problem(error)) from error


def checked_yaml(model: type[Model], located: LocatedYaml) -> Model:
    """The content of a YAML file as a model.

    Raises:
        ConfigError: it does not fit; names the file, the line and the first wrong place.
    """
    try:
        return model.model_validate(located.content)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        problem = first_problem(error)
        raise ConfigError(located.where(place), problem + _keys_there(model, place, error)) from error


def _keys_there(model: type[BaseModel], place: tuple[str | int, ...], error: ValidationError) -> str:
    """Which keys there are, where one was written that there is not."""
    if error.errors(include_url=False, include_input=False)[0]["type"] != "extra_forbidden":
        return ""
    found: list[type[BaseModel]] = [model]
    for part in place[:-1]:
        inner = [kind for owner in found for kind in _models_under(owner, part)]
        found = inner or [kind for kind in found if _tagged(kind, part)] or found
    names = sorted({field.alias or name for name, field in found[0].model_fields.items()})
    return f" (there are: {', '.join(names)})"


def _models_under(owner: type[BaseModel], name: str | int) -> list[type[BaseModel]]:
    """The models that a field may hold, however wrapped."""
    named = (field for key, field in owner.model_fields.items() if name in (key, field.alias))
    return [kind for field in named for kind in _models_in(field.annotation)]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for inner in get_args(annotation) for kind in _models_in(inner)]


def _tagged(kind: type[BaseModel], tag: str | int) -> bool:
    """Whether a union's tag means this model."""
    field = kind.model_fields.get("kind") or kind.model_fields.get("type")
    return field is not None and tag in get_args(field.annotation)


def first_problem(error: ValidationError) -> str:
    """The first thing pydantic found, as a clause that names the place but never the value."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"] if part != "[key]") or "the whole file"
    if problem["type"] == "extra_forbidden":
        return f"'{place}': there is no such key"
    if problem["type"] in _NO_MAPPING:
        subject = f"'{place}' is" if problem["loc"] else "is"
        return f"{subject} not a mapping of names to values"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"'{place}': {message[:1].lower()}{message[1:]}"
