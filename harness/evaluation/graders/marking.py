"""`graders`, `pairwise` and `families` of a suite file, read strictly."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from harness.errors import UsageError
from harness.evaluation.graders.pointer import POINTER
from harness.evaluation.graders.schema import schema_problem

PAIRWISE = "pairwise"
RESERVED_NAMES = frozenset(
    {"quality", PAIRWISE, "schema", "topology", "coverage", "provenance", "distinctness", "substance"}
)
"""Names that the built-in tasks' own scores, and the pairwise judge, record under."""
MAX_GRADERS = 20

GraderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
JudgeReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[^\s]{1,200}$")]
Criterion = Annotated[str, Field(min_length=3, max_length=300)]
Criteria = Annotated[list[Criterion], Field(min_length=1, max_length=10)]
Pointer = Annotated[str, Field(pattern=POINTER, max_length=500)]
Number = Annotated[Decimal, Field(strict=False, allow_inf_nan=False)]

DEFAULT_CRITERIA = (
    "Complete: takes up everything that the request puts on the table, options and figures alike.",
    "Faithful: claims nothing that the request does not say or that does not follow from it.",
    "Useful: somebody who has to decide can act on it.",
)
"""What a judge looks at when nothing else is said."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Located(_Strict):
    pointer: Pointer = ""


class ExactSpec(_Located):
    """`expected` may be left to each case's `expected` object, under the grader's name."""

    kind: Literal["exact"]
    name: GraderName = "exact"
    expected: str | int | float | bool | list[Any] | dict[str, Any] | None = None
    ignore_case: bool = False


class RegexSpec(_Located):
    """A pattern that must, or with `forbidden` must not, occur."""

    kind: Literal["regex"]
    name: GraderName = "regex"
    pattern: str = Field(min_length=1, max_length=1000)
    ignore_case: bool = False
    forbidden: bool = False

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a regular expression ({error})") from error
        return pattern


class NumericSpec(_Located):
    """`expected` within `tolerance`, or bounds `min` and `max`, which are inclusive."""

    kind: Literal["numeric"]
    name: GraderName = "numeric"
    expected: Number | None = None
    tolerance: Annotated[Number, Field(ge=0)] = Decimal(0)
    low: Number | None = Field(default=None, alias="min")
    high: Number | None = Field(default=None, alias="max")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.expected is not None and (self.low is not None or self.high is not None):
            raise ValueError("give `expected` or bounds, not both")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("min is above max")
        return self


class JsonSchemaSpec(_Located):
    """A JSON schema, draft 2020-12, in the suite itself."""

    kind: Literal["json_schema"]
    name: GraderName = "json_schema"
    json_schema: dict[str, Any] = Field(alias="schema")

    @field_validator("json_schema")
    @classmethod
    def _is_a_schema(cls, schema: dict[str, Any]) -> dict[str, Any]:
        problem = schema_problem(schema)
        if problem is not None:
            raise ValueError(problem)
        return schema


class RubricSpec(_Strict):
    """A judge that scores each criterion by itself."""

    kind: Literal["rubric"]
    name: GraderName = "rubric"
    judge: JudgeReference
    criteria: Criteria = list(DEFAULT_CRITERIA)


class PairwiseSpec(_Strict):
    """A judge that chooses between each strategy's answer and the first strategy's."""

    judge: JudgeReference
    criteria: Criteria = list(DEFAULT_CRITERIA)


GraderSpec = ExactSpec | RegexSpec | NumericSpec | JsonSchemaSpec | RubricSpec
KINDS = ("exact", "regex", "numeric", "json_schema", "rubric")


def _written_as(value: Any) -> str | None:
    """Which form a grader is written in: its kind, or `plugin` for a bare name; None for neither."""
    if isinstance(value, str):
        return "plugin"
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return kind if kind in KINDS else None


WrittenGrader = Annotated[
    Annotated[GraderName, Tag("plugin")]
    | Annotated[ExactSpec, Tag("exact")]
    | Annotated[RegexSpec, Tag("regex")]
    | Annotated[NumericSpec, Tag("numeric")]
    | Annotated[JsonSchemaSpec, Tag("json_schema")]
    | Annotated[RubricSpec, Tag("rubric")],
    Discriminator(
        _written_as,
        custom_error_type="grader",
        custom_error_message=f"expected a plug-in's name, or a mapping with a kind of {', '.join(KINDS)}",
    ),
]
Families = dict[JudgeReference, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """How a suite grades beyond its task's own score.

    Attributes:
        graders: a text names a plug-in.
        families: families of models whose names tell nothing, by `provider/model`.
    """

    graders: tuple[GraderSpec | str, ...] = ()
    pairwise: PairwiseSpec | None = None
    families: Mapping[str, str] = field(default_factory=dict)

    @property
    def rubrics(self) -> tuple[RubricSpec, ...]:
        """The graders that ask a model."""
        return tuple(spec for spec in self.graders if isinstance(spec, RubricSpec))

    @property
    def judges(self) -> tuple[str, ...]:
        """Every judge asked, as `provider/model`, without repetition."""
        named = [spec.judge for spec in self.rubrics]
        return tuple(dict.fromkeys([*named, *([self.pairwise.judge] if self.pairwise else [])]))

    @property
    def names(self) -> tuple[str, ...]:
        """What it records under, in order."""
        named = [spec if isinstance(spec, str) else spec.name for spec in self.graders]
        return (*named, *([PAIRWISE] if self.pairwise else []))

    @property
    def digest(self) -> str | None:
        """Changes with anything that changes a grade; None when there is nothing to grade by."""
        if not self.names:
            return None
        specs = [spec if isinstance(spec, str) else spec.model_dump(mode="json") for spec in self.graders]
        pairwise = None if self.pairwise is None else self.pairwise.model_dump(mode="json")
        return sha256(json.dumps([specs, pairwise], sort_keys=True).encode()).hexdigest()[:16]

    def with_rubric(self, judge: str) -> "Marking":
        """The same, and a rubric of the built-in criteria by this judge under the name `rubric`.

        Raises:
            UsageError: the judge is not written as `provider/model`.
        """
        try:
            rubric = RubricSpec(kind="rubric", judge=judge)
        except ValidationError as error:
            raise UsageError(f"--judge '{judge[:80]}': expected PROVIDER/MODEL") from error
        return Marking(graders=(*self.graders, rubric), pairwise=self.pairwise, families=dict(self.families))


def name_problem(graders: Sequence[GraderSpec | str]) -> str | None:
    """Why the graders' names cannot stand side by side in one table, in a clause; None when they can."""
    names = [spec if isinstance(spec, str) else spec.name for spec in graders]
    for name in names:
        if name in RESERVED_NAMES:
            return f"'graders': '{name}' is the name of a built-in grade; give another `name`"
        if names.count(name) > 1:
            return f"'graders': two are called '{name}'; give each its own `name`"
    return None
