"""What would have to be true of a checker for a cascade to stay the answer."""

from dataclasses import dataclass, replace

import numpy as np

from harness.strategies.checkers import StatedChecker
from harness.strategies.judging import quick
from harness.strategies.policies import Cascade, World


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerNeeds:
    """How good a cascade's checker has to be.

    Attributes:
        sensitivity: share of the answers below the high tier that it has to catch to keep the wanted share
            of high tier; None where even a perfect one does not.
        specificity: share of the good answers that it has to pass to stay cheaper than the alternative;
            None where even passing all of them does not, or there is no alternative.
        alternative: what it is held against.
    """

    sensitivity: float | None
    specificity: float | None
    alternative: str | None

    def sentence(self, min_high_tier: float) -> str:
        """For people."""
        told = []
        if self.sensitivity is not None:
            told.append(
                f"keeps {min_high_tier * 100:g}% high tier as long as the checker catches at least "
                f"{self.sensitivity:.0%} of the answers that fall short"
            )
        if self.specificity is not None:
            told.append(
                f"stays cheaper than {self.alternative} as long as it passes at least "
                f"{self.specificity:.0%} of the good ones"
            )
        return f"It {' and '.join(told)}." if told else ""


def checker_needs(
    policy: Cascade,
    world: World,
    *,
    min_high_tier: float,
    alternative: tuple[str, float] | None = None,
) -> CheckerNeeds:
    """The error rates at which the conclusion would turn; both figures are linear in them.

    Args:
        policy: the cascade.
        world: the recorded answers.
        min_high_tier: the share to keep, 0..1.
        alternative: name and cost of what would be taken instead.
    """

    def at(sensitivity: float, specificity: float) -> tuple[float, float]:
        checker = StatedChecker(sensitivity, specificity)
        found = quick(replace(policy, checker=checker).over(world))
        return found.high, found.usd

    blind, perfect = at(0.0, 1.0), at(1.0, 1.0)
    always = at(1.0, 0.0)
    sensitivity = _reached(blind[0], perfect[0], min_high_tier)
    specificity = None
    if alternative is not None and perfect[1] < alternative[1]:
        specificity = _reached(-always[1], -perfect[1], -alternative[1])
    return CheckerNeeds(
        sensitivity=sensitivity,
        specificity=specificity,
        alternative=None if alternative is None else alternative[0],
    )


def _reached(at_zero: float, at_one: float, wanted: float) -> float | None:
    """Where between 0 and 1 a line reaches a value; None where it stays below."""
    if not (np.isfinite(at_zero) and np.isfinite(at_one)) or at_one < wanted:
        return None
    if at_zero >= wanted:
        return 0.0
    return float((wanted - at_zero) / (at_one - at_zero))
