"""Medians, spreads and ratios."""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median of some values, the least and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values):
        values = list(values)
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits=1):
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f}–{self.most:,.{digits}f})"


def percentile(ordered, percent):
    """The least of the ordered values that is not under `percent` of them."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ratios(ours, theirs):
    """Ours to theirs, pair by pair: what was measured in the same round."""
    return Spread.of(our / their for our, their in zip(ours, theirs, strict=True))
