"""Request bodies checked against a pydantic model, each fault told as one sentence about one field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from harness.errors import UsageError
from harness.tasks.plaintext import clean_text

ModelT = TypeVar("ModelT", bound=BaseModel)


def validated_body(model: type[ModelT], body: Mapping[str, Any]) -> ModelT:
    """The body as the model.

    Raises:
        UsageError: one sentence naming the first wrong field; the value itself is not repeated.
    """
    if not isinstance(body, Mapping):
        raise UsageError("the body must be a JSON object")
    try:
        return model.model_validate(dict(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = clean_text(".".join(str(part)[:60] for part in first["loc"][:4])) or "body"
        raise UsageError(f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
