"""Medians, spreads and ratios."""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    """The median, minimum and maximum of some values."""

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
    """The smallest of the ordered values that at least `percent` of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ratios(ours, theirs):
    """The ratios of values that were measured in the same round."""
    return Spread.of(our / their for our, their in zip(ours, theirs, strict=True))
