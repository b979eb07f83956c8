"""Disclosure control: which figures of the survey may be published, so that nobody's answers can be worked out.

**Who is guarded against.** Someone who has every table of all years and editions, who knows the population of every
cell and how many inhabitants a respondent of it stands for, and who adds and subtracts without rounding: so weighted
figures tell him numbers of respondents. He adds up variances too: the standard error of a whole tells him what
variance its hidden parts have together. A part's own is p (1 - p) deff / n, and he takes its design effect to be from
0.8 to 2.5. He is granted even how many respondents each hidden cell has. Then:

- a cell that is hidden for its own sake (fewer than `suppress_below` respondents, or fewer than `smallest_count` who
  are satisfied, or who are not) may have any number of satisfied respondents from 0 to `smallest_count`; where those
  who are not satisfied are the few, any number of these;
- every hidden cell may have numerators that lie `interval_width` or more apart;
- of a cell with fewer respondents than that, every numerator is possible: the tables say nothing about it. To someone
  who does not know how few they are, there may be `smallest_count` or more.

**How.** A cell is a region and a breakdown of a variable and year. Its mean and its share are hidden together, with
standard error, interval, numbers of respondents and all else, and the status never says why. The cheapest further cells
are hidden, in precision lost and totals last: an integer programme, attacked by linear programming, which adds what an
attack finds as a condition (Fischetti & Salazar-González 2001, Management Science 47(7), 1008-1027). Where the variance
of a sum would rule out what is promised, one more of its cells is hidden (variance.py). It is solved for each breakdown
by itself; where a total must go, for all breakdowns together, up to a limit of search. Whatever the search finds has
withstood the attacks; if nothing does, all of the variable and year is hidden.

**Limits.** Numbers are attacked through all sums at once, variances through one sum at a time, and those of shares
only. Who knows every hidden number of respondents and combines the variances of all sums can rule out the outermost
numerators of some hidden cells (in random tables one in twenty; mostly none or one satisfied, seldom more than two).
Who knows the design effect of every hidden cell besides can narrow those of a sum that hides just two or three. Coarser
standard errors would not help: the range of design effects is far wider. It does not guard against what respondents
tell about themselves, against someone who knows the answers of others in their cell, or against who works back from the
choice of hidden cells. People of unknown education, and others outside every part of a sum, are no cell that is
protected: nobody can tell who they are. Nor are differences between variables, but for those named as a family.
Breakdowns by two things at once are refused. Models that use a hidden cell's answers (small areas) reveal them: the
caller must not publish these.
"""

from methods.disclosure.protect import (
    Protected,
    Summary,
    audit,
    differencing,
    primary,
    protected,
    rounded,
    secondary,
)
from methods.disclosure.tables import DisclosureError

__all__ = [
    "DisclosureError",
    "Protected",
    "Summary",
    "audit",
    "differencing",
    "primary",
    "protected",
    "rounded",
    "secondary",
]
