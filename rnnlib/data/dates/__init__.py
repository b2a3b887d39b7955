"""Dates, times and months written in many ways, with the one ISO 8601 form that each has.

The sources are short and long, "3/4/97" and "Tuesday the twenty-third of September nineteen
ninety-seven", and the answers have three lengths: 1997-09, 1997-09-23 and 1997-09-23T14:35. How
much an answer says and how long its source is are two things, which a task can tell apart.
"""

from rnnlib.data.dates.formats import FORMATS, kind_of, kind_of_answer
from rnnlib.data.dates.task import Dates

__all__ = ["FORMATS", "Dates", "kind_of", "kind_of_answer"]
