"""What lateness costs: from the times of submission alone, never from the present time."""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from flashlab.classroom.course import Course

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Lateness:
    """Late days of one submission, how many of them were free, and the factor that its points are multiplied with."""

    days: int = 0
    free: int = 0
    factor: float = 1.0


def lateness(
    course: Course, student: str, times: Mapping[str, datetime.datetime]
) -> dict[str, Lateness]:
    """The lateness of a student's submissions, by lab. Free days go to the labs in the order in which they are due; a
    begun day counts as a whole one. A submission beyond `max_days` takes no free days: they could not save it.
    """
    left = course.late.free_days
    found = {}
    dues = {item.lab.name: course.due(student, item) for item in course.labs}
    labs = [item.lab.name for item in course.labs if item.lab.name in times]
    for lab in sorted(labs, key=lambda name: (dues[name] is None, dues[name] or times[name])):
        due = dues[lab]
        late = datetime.timedelta() if due is None else times[lab] - due - course.late.grace
        days = max(0, math.ceil(late / DAY))
        if course.late.max_days is not None and days > course.late.max_days:
            found[lab] = Lateness(days, 0, 0.0)
            continue
        free = min(days, left)
        left -= free
        found[lab] = Lateness(days, free, max(0.0, 1 - course.late.penalty_per_day * (days - free)))
    return found
