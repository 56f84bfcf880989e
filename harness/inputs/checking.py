"""Content against a pydantic model: the model, or one sentence that names the place and never the value."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import ConfigError

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
