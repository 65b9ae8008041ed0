"""Grading what is new, and grading again with a before and an after."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flashlab.classroom.course import CourseLab
from flashlab.classroom.runner import Runner
from flashlab.classroom.store import ClassStore, Kept
from flashlab.classroom.work import Done, Job, Workshop


@dataclass(frozen=True)
class Graded:
    """What one `grade` did: counts of submissions, and those that have no result through the grader's fault."""

    fresh: int
    unchanged: int
    outdated: int
    failures: tuple[tuple[Kept, str], ...]


@dataclass(frozen=True)
class Change:
    """A grade before and after; `reasons` says what of the setting differs, `cases` which verdicts do."""

    submission: Kept
    before: float
    after: float
    reasons: tuple[str, ...]
    cases: tuple[str, ...]
    key: str


def grade_new(
    store: ClassStore, workshop: Workshop, labs: Sequence[CourseLab], run: Runner
) -> Graded:
    """Grades every submission of these labs that has no grade yet. A grade is never changed here: where the grader or
    the configuration is another one now, it is counted as outdated.
    """
    names = {item.lab.name for item in labs}
    grades = store.grades()
    todo, unchanged, outdated = [], 0, 0
    for kept in store.submissions():
        if kept.lab not in names:
            continue
        key = grades.get((kept.student, kept.lab))
        if key is None or store.graded_hash(key) != kept.sha256:
            todo.append(kept)
        else:
            unchanged += 1
            outdated += key != workshop.key(kept.lab, kept.sha256)
    failures = _run(store, workshop, todo, run, applied=True)
    return Graded(len(todo) - len(failures), unchanged, outdated, failures)


def grade_again(
    store: ClassStore, workshop: Workshop, chosen: Callable[[Kept], bool], run: Runner
) -> tuple[list[Change], tuple[tuple[Kept, str], ...]]:
    """Grades chosen submissions that have a grade once more with the present grader and configuration, where that was
    not done yet. Returns the differences, grades unchanged, and what failed through the grader's fault.
    """
    grades = store.grades()
    submissions = [
        kept
        for kept in store.submissions()
        if chosen(kept)
        and (kept.student, kept.lab) in grades
        and store.graded_hash(grades[kept.student, kept.lab]) == kept.sha256
    ]
    failures = _run(store, workshop, submissions, run, applied=False)
    failed = {kept for kept, _ in failures}
    changes = [
        _change(store, kept, grades[kept.student, kept.lab], workshop.key(kept.lab, kept.sha256))
        for kept in submissions
        if kept not in failed
    ]
    return [change for change in changes if change.reasons], failures


def _run(
    store: ClassStore,
    workshop: Workshop,
    submissions: Sequence[Kept],
    run: Runner,
    applied: bool,
) -> tuple[tuple[Kept, str], ...]:
    """Sees to it that each submission has a result; equal submissions are graded once."""
    by_key: dict[str, list[Kept]] = {}
    for kept in submissions:
        by_key.setdefault(workshop.key(kept.lab, kept.sha256), []).append(kept)
    failures: dict[str, str] = {}

    def apply(key: str) -> None:
        if applied:
            store.set_grades((kept.student, kept.lab, key) for kept in by_key[key])

    def keep(done: Done) -> None:
        job = done.job
        if done.result is None:
            failures[job.key] = done.failure or "unknown"
            store.keep_failure(job.lab, job.sha256, failures[job.key])
            return
        store.keep_result(job.key, job.lab, job.sha256, workshop.settings[job.lab], done.result)
        apply(job.key)

    jobs = []
    for key, group in by_key.items():
        if store.has_result(key):
            apply(key)
        else:
            first = group[0]
            source = store.source(first.sha256) if first.refusal is None else None
            jobs.append(Job(key, first.lab, first.sha256, source, first.refusal))
    if jobs:
        run(jobs, keep)
    return tuple((kept, text) for key, text in failures.items() for kept in by_key[key])


def _change(store: ClassStore, kept: Kept, old: str, new: str) -> Change:
    before, after = store.result(old), store.result(new)
    reasons = store.setting(new).differences(store.setting(old))
    verdicts = {case["name"]: case["status"] for case in before["cases"]}
    now = {case["name"]: case["status"] for case in after["cases"]}
    cases = [name for name in {**verdicts, **now} if verdicts.get(name) != now.get(name)]
    return Change(kept, before["score"], after["score"], tuple(reasons), tuple(cases), new)
