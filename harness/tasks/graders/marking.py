"""`graders`, `pairwise` and `families` of a suite file, read strictly."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from harness.records import HIGH_TIER_MIN_SCORE
from harness.tasks.graders.pointer import POINTER
from harness.tasks.grading import Weighing
from harness.tasks.schemacheck import schema_problem

PAIRWISE = "pairwise"
WHOLE_NAMES = frozenset({"quality", PAIRWISE})
"""Names that the whole score and the pairwise judge record under."""
RESERVED_NAMES = WHOLE_NAMES | {"schema", "topology", "coverage", "provenance", "distinctness", "substance"}
"""The same, and those of the parts of the built-in tasks' own scores."""
MAX_GRADERS = 20

GraderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
JudgeReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[^\s]{1,200}$")]
Criterion = Annotated[str, Field(min_length=3, max_length=300)]
Criteria = Annotated[list[Criterion], Field(min_length=1, max_length=10)]
Pointer = Annotated[str, Field(pattern=POINTER, max_length=500)]
FunctionPath = Annotated[str, Field(pattern=r"^[^:\x00]{1,400}\.py:[A-Za-z_][A-Za-z0-9_]*$")]
Number = Annotated[Decimal, Field(strict=False, allow_inf_nan=False)]

DEFAULT_CRITERIA = (
    "Complete: takes up everything that the request puts on the table, options and figures alike.",
    "Faithful: claims nothing that the request does not say or that does not follow from it.",
    "Useful: somebody who has to decide can act on it.",
)
"""What a judge looks at when nothing else is said."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Weighed(_Strict):
    """What a grader counts for; see `Weighing`."""

    weight: Annotated[float, Field(ge=0, le=1000, strict=False, allow_inf_nan=False)] | None = None
    threshold: Annotated[float, Field(ge=0, le=1, strict=False)] = HIGH_TIER_MIN_SCORE
    must_pass: bool = False

    @property
    def weighing(self) -> Weighing:
        """What it counts for beside the others."""
        weight = 1.0 if self.weight is None else self.weight
        return Weighing(weight=weight, threshold=self.threshold, must_pass=self.must_pass)


class _Located(_Weighed):
    pointer: Pointer = ""


class _Expecting(_Located):
    """`expected` may be left to each case: its `expected` object, or a `column` of the data set."""

    column: str | None = Field(default=None, min_length=1, max_length=200)


class ExactSpec(_Expecting):
    """The value itself."""

    kind: Literal["exact"]
    name: GraderName = "exact"
    expected: str | int | float | bool | list[Any] | dict[str, Any] | None = None
    ignore_case: bool = False


class ContainsSpec(_Expecting):
    """Texts that must occur: every one of them, or with `any` one of them."""

    kind: Literal["contains"]
    name: GraderName = "contains"
    expected: str | list[str] | None = None
    any: bool = False
    ignore_case: bool = False


class SimilaritySpec(_Expecting):
    """How alike the text is to the expected one, or to the likest of several: 0..1.

    `f1` and `rouge_l` compare words, `similarity` characters; a likeness of `enough` counts as 1.
    """

    kind: Literal["f1", "rouge_l", "similarity"]
    name: GraderName | None = None
    enough: Annotated[float, Field(gt=0, le=1, strict=False)] = 1.0
    expected: str | list[str] | None = None


class FunctionSpec(_Weighed):
    """A Python function of the user's: `./graders.py:polite`, relative to the suite."""

    kind: Literal["function"]
    name: GraderName | None = None
    path: FunctionPath


class PluginSpec(_Weighed):
    """A plugged-in grader, where it counts for more or less than 1."""

    kind: Literal["plugin"]
    name: GraderName


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


class NumericSpec(_Expecting):
    """`expected` within `tolerance`, or bounds `min` and `max`, which are inclusive.

    `take` finds the number in a text: its `first` or `last` one; without it only a JSON number is a number.
    """

    kind: Literal["numeric"]
    name: GraderName = "numeric"
    take: Literal["first", "last"] | None = None
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


class RubricSpec(_Weighed):
    """A judge that scores each criterion by itself."""

    kind: Literal["rubric"]
    name: GraderName = "rubric"
    judge: JudgeReference
    criteria: Criteria = list(DEFAULT_CRITERIA)


class PairwiseSpec(_Strict):
    """A judge that chooses between each strategy's answer and the first strategy's."""

    judge: JudgeReference
    criteria: Criteria = list(DEFAULT_CRITERIA)


AnswerGraderSpec = (
    ExactSpec
    | ContainsSpec
    | RegexSpec
    | NumericSpec
    | JsonSchemaSpec
    | SimilaritySpec
    | FunctionSpec
    | PluginSpec
)
GraderSpec = AnswerGraderSpec | RubricSpec
KINDS = (
    *("exact", "contains", "regex", "numeric", "json_schema", "f1", "rouge_l", "similarity"),
    *("function", "plugin", "rubric"),
)


def _written_as(value: Any) -> str | None:
    """Which form a grader is written in: its kind, or that of a bare name or path; None for neither."""
    if isinstance(value, str):
        return "a path" if ".py" in value else "a name"
    kind = value.get("kind") if isinstance(value, Mapping) else getattr(value, "kind", None)
    return kind if kind in KINDS else None


WrittenGrader = Annotated[
    Annotated[GraderName, Tag("a name")]
    | Annotated[FunctionPath, Tag("a path")]
    | Annotated[ExactSpec, Tag("exact")]
    | Annotated[ContainsSpec, Tag("contains")]
    | Annotated[RegexSpec, Tag("regex")]
    | Annotated[NumericSpec, Tag("numeric")]
    | Annotated[JsonSchemaSpec, Tag("json_schema")]
    | Annotated[SimilaritySpec, Tag("f1")]
    | Annotated[SimilaritySpec, Tag("rouge_l")]
    | Annotated[SimilaritySpec, Tag("similarity")]
    | Annotated[FunctionSpec, Tag("function")]
    | Annotated[PluginSpec, Tag("plugin")]
    | Annotated[RubricSpec, Tag("rubric")],
    Discriminator(
        _written_as,
        custom_error_type="grader",
        custom_error_message="expected a plug-in's name, a path like ./graders.py:polite, or a mapping with "
        f"a kind of {', '.join(KINDS)}",
    ),
]


def spec_of(written: GraderSpec | str) -> GraderSpec:
    """A grader as a mapping would say it."""
    if not isinstance(written, str):
        return written
    if ".py" in written:
        return FunctionSpec(kind="function", path=written)
    return PluginSpec(kind="plugin", name=written)


def name_of(spec: GraderSpec) -> str:
    """What a grader records under."""
    if isinstance(spec, FunctionSpec):
        return spec.name or spec.path.rpartition(":")[2]
    return spec.name or spec.kind


Families = dict[JudgeReference, Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """How a suite grades beyond its task's own score.

    Attributes:
        graders: in order; a bare name or path stands for its mapping.
        expected: the column that holds what is expected, for graders that name none.
        sources: digests of the files of functions, by reference.
        families: families of models whose names tell nothing, by `provider/model`.
    """

    graders: tuple[GraderSpec, ...] = ()
    pairwise: PairwiseSpec | None = None
    families: Mapping[str, str] = field(default_factory=dict)
    expected: str | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

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
        named = [name_of(spec) for spec in self.graders]
        return (*named, *([PAIRWISE] if self.pairwise else []))

    @property
    def digest(self) -> str | None:
        """Changes with anything that changes a grade; None when there is nothing to grade by."""
        if not self.names:
            return None
        specs = [spec.model_dump(mode="json") for spec in self.graders]
        pairwise = None if self.pairwise is None else self.pairwise.model_dump(mode="json")
        said = json.dumps([specs, pairwise, self.expected, dict(self.sources)], sort_keys=True)
        return sha256(said.encode()).hexdigest()[:16]

    def with_rubric(self, judge: str) -> "Marking":
        """The same, and a rubric of the built-in criteria by this judge under the name `rubric`.

        Raises:
            UsageError: the judge is not written as `provider/model`.
        """
        try:
            rubric = RubricSpec(kind="rubric", judge=judge)
        except ValidationError as error:
            raise UsageError(f"--judge '{judge[:80]}': expected PROVIDER/MODEL") from error
        return replace(self, graders=(*self.graders, rubric))


def name_problem(graders: Sequence[GraderSpec], taken: frozenset[str]) -> str | None:
    """Why the graders' names cannot stand side by side in one table, in a clause; None when they can."""
    names = [name_of(spec) for spec in graders]
    for name in names:
        if name in taken:
            return f"'graders': '{name}' is the name of a built-in grade; give another `name`"
        if names.count(name) > 1:
            return f"'graders': two are called '{name}'; give each its own `name`"
    return None
