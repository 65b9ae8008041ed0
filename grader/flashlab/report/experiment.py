"""The skeleton of an experiment report: set-up, tables and questions, with the measured numbers filled in."""

from collections.abc import Callable, Iterable
from typing import Any

from flashlab.report.blocks import Block, Facts, Heading, Question, Table, Text
from flashlab.report.curves import exponent
from flashlab.report.figure import in_bytes, in_seconds
from flashlab.report.measurements import Clock, Measurement, short
from flashlab.report.sweeps import Sweep
from flashlab.results import Result

NOT_MEASURED = "Not measured yet: `./flashlab bench --preset quick` gives the numbers."
ORDER = ("lab1", "lab3", "lab4")


class Numbers:
    """What was measured, by lab; every method answers None where something is missing."""

    def __init__(self, results: list[Result], sweep: Sweep | None) -> None:
        self.sweep = sweep
        self._graded = {(r["lab"], r["submission"]["path"]) for r in results}
        self.clock: Clock | None = next(iter(sweep.clocks), None) if sweep else None

    def points(self, lab: str) -> list[Measurement]:
        """Of the submission of a lab that was graded, else of the first by name; in order of length and heads."""
        if self.sweep is None:
            return []
        of_lab = [one for one in self.sweep.whole if one.lab.startswith(f"{lab}_")]
        graded = [one for one in of_lab if (one.lab, one.submission) in self._graded]
        first = min((self.sweep.label(one) for one in graded or of_lab), default="")
        mine = [one for one in of_lab if self.sweep.label(one) == first]
        return sorted(mine, key=lambda one: (one.n, one.heads))

    def largest(self, *labs: str) -> tuple[Measurement, ...] | None:
        """The largest shape that all of `labs` were measured at, one point for each."""
        by_shape: list[dict[tuple[int, int], Measurement]] = [
            {(one.n, one.heads): one for one in self.points(lab)} for lab in labs
        ]
        common = set.intersection(*(set(points) for points in by_shape)) if by_shape else set()
        return tuple(points[max(common)] for points in by_shape) if common else None

    def time(self, one: Measurement) -> float | None:
        """By the clock that the report prefers."""
        return one.times.get(self.clock) if self.clock else None

    def growth(self, lab: str, reading: Callable[[Measurement], float | None]) -> float | None:
        """The exponent with which a reading of one head grows with N."""
        values = ((one.n, reading(one), one.heads) for one in self.points(lab))
        return exponent([(n, value / heads) for n, value, heads in values if value])


def blocks(results: list[Result], sweep: Sweep | None) -> list[Block]:
    """The whole skeleton."""
    numbers = Numbers(results, sweep)
    return [
        Heading(2, "Experiment report", "experiment"),
        Text(
            "A skeleton for your own report. The numbers are those of this page; the words are for you to write."
            " `./flashlab report --format markdown` writes it as a file to edit."
        ),
        Heading(3, "Set-up", "experiment-setup"),
        _setup(results, numbers),
        Heading(3, "Implementation", "experiment-implementation"),
        *_implementation(numbers),
        Heading(3, "Correctness", "experiment-correctness"),
        _correctness(results),
        Heading(3, "Memory", "experiment-memory"),
        *_memory(numbers),
        Heading(3, "Time", "experiment-time"),
        *_time(numbers),
        Heading(3, "Questions", "experiment-questions"),
        *questions(results, numbers),
        Heading(3, "Conclusion", "experiment-conclusion"),
        Question(
            "What did you learn?",
            "Which of your expectations did the numbers confirm, which did they refute, and what would you try next?",
        ),
    ]


def _setup(results: list[Result], numbers: Numbers) -> Facts:
    of = [result["provenance"] for result in results]
    pairs = [
        ("device", ", ".join(sorted({result["device"]["name"] for result in results}))),
        ("times", numbers.clock.basis if numbers.clock else "not measured"),
        ("compiler", ", ".join(sorted({one["compiler"] for one in of}))),
        ("flags", f"`{' '.join(of[0]['flags'])}`"),
        ("host", ", ".join(sorted({one["host_cpu"] for one in of}))),
    ]
    pairs += [
        (
            short(r["lab"]),
            f"`{r['submission']['path']}`, SHA-256 `{r['submission']['sha256'][:12]}`",
        )
        for r in results
    ]
    return Facts(tuple(pairs))


def _implementation(numbers: Numbers) -> list[Block]:
    rows = []
    for lab in (*ORDER, "lab5"):
        for one in numbers.points(lab)[-1:]:
            rows += [
                (short(one.lab), *_kernel(launch)) for launch in one.record.get("launches", ())
            ]
    prompt = Question(
        "How does your kernel work?",
        "What does one thread compute, what does one block? Which values live in registers, which in shared memory, and"
        " what does each `__syncthreads()` protect?",
    )
    if not rows:
        return [Text(NOT_MEASURED, note=True), prompt]
    head = ("lab", "kernel", "grid", "block", "registers>", "shared memory>", "occupancy>")
    return [Table("Kernels of the largest shape", head, tuple(rows)), prompt]


def _kernel(launch: dict[str, Any]) -> tuple[str, ...]:
    name = launch["kernel"].partition("(")[0].removeprefix("void ")
    shared = launch["shared_static_bytes"] + launch["shared_dynamic_bytes"]
    registers, occupancy = launch.get("registers_per_thread"), launch.get("occupancy")
    return (
        f"`{name}`",
        " × ".join(str(size) for size in launch["grid"]),
        " × ".join(str(size) for size in launch["block"]),
        "–" if registers is None else str(registers),
        in_bytes(shared),
        "–" if occupancy is None else f"{100 * occupancy:.0f} %",
    )


def _correctness(results: list[Result]) -> Table:
    rows = []
    for result in results:
        cases = result["cases"]
        errors = [case["error"] for case in cases if case.get("error")]
        rows.append(
            (
                short(result["lab"]),
                f"{sum(case['status'] == 'passed' for case in cases)} of {len(cases)}",
                *(_largest(errors, key) for key in ("max_abs", "max_rel")),
            )
        )
    head = ("lab", "cases passed>", "largest absolute error>", "largest relative error>")
    return Table("Against the float64 reference", head, tuple(rows), "graded")


def _largest(errors: list[dict[str, Any]], key: str) -> str:
    values = [error[key] for error in errors if error.get(key) is not None]
    return f"{max(values):.1e}" if values else "–"


def _memory(numbers: Numbers) -> list[Block]:
    columns = {lab: {one.n: one for one in numbers.points(lab)} for lab in ORDER}
    present = [lab for lab in ORDER if columns[lab]]
    sizes = sorted({n for lab in present for n in columns[lab]})
    if not sizes or numbers.sweep is None:
        return [Text(NOT_MEASURED, note=True)]
    rows = []
    for n in sizes:
        extra = [_extra(columns[lab].get(n)) for lab in present]
        cells = ["–" if value is None else in_bytes(value) for value in extra]
        naive, last = _extra(columns["lab1"].get(n)), extra[-1]
        saved = "–" if not naive or last is None else f"{100 * (1 - last / naive):.1f} %"
        rows.append((str(n), *cells, saved))
    title = f"Memory besides the tensors, for each head of dimension {numbers.sweep.head_dim}"
    head = ("N>", *(f"{short(lab)}>" for lab in present), f"{short(present[-1])} saves>")
    return [Table(title, head, tuple(rows), numbers.sweep.basis)]


def _extra(one: Measurement | None) -> float | None:
    return None if one is None or one.extra_bytes is None else one.extra_bytes / one.heads


def _time(numbers: Numbers) -> list[Block]:
    clock = numbers.clock
    if clock is None or numbers.sweep is None:
        return [Text(NOT_MEASURED, note=True)]
    timed = {lab: [one for one in numbers.points(lab) if clock in one.times] for lab in ORDER}
    present = [lab for lab in ORDER if timed[lab]]
    by_shape: dict[tuple[int, int], dict[str, float]] = {}
    for lab in present:
        for one in timed[lab]:
            by_shape.setdefault((one.n, one.heads), {})[lab] = one.times[clock]
    rows = []
    for (n, heads), times in sorted(by_shape.items()):
        cells = [in_seconds(times[lab]) if lab in times else "–" for lab in present]
        both = "lab1" in times and present[-1] in times
        ratio = f"{times['lab1'] / times[present[-1]]:.2f}×" if both else "–"
        rows.append((f"{heads} × {n} × {numbers.sweep.head_dim}", *cells, ratio))
    head = (
        "B H × N × d",
        *(f"{short(lab)}>" for lab in present),
        f"{short(present[-1])} against lab 1>",
    )
    return [Table("Time of one call", head, tuple(rows), clock.basis)]


def questions(results: list[Result], numbers: Numbers) -> Iterable[Question]:
    """Those of the chapters that measurements help to answer; solutions/rubrics says what a good answer contains."""
    yield Question(
        "Which loop is outside?",
        "The first FlashAttention runs over tiles of K and V outside and over tiles of Q inside. Swap the two. How"
        " often do Q, K, V and O then move between device memory and the chip, and what happens to m and l? What is"
        " gained, and is anything lost?",
        _facts(_loops(numbers)),
        "Ask when the softmax of a row is final in each order.",
    )
    yield Question(
        "May a tile be half a head wide?",
        "Suppose tiles of Q, K and V had d / 2 columns instead of d. What would a tile of S = Q Kᵀ then hold, when"
        " could the softmax be applied to it, and what would have to be kept until then?",
        _facts(_tiles(numbers)),
        "exp(a + b) is not exp(a) + exp(b).",
    )
    yield Question(
        "One thread for each query?",
        "A simple kernel gives each query a thread of its own, which keeps q and o in registers and walks along all"
        " keys. How often is each element of K and V read, by whom, and how does that change with the number of"
        " queries in a block? What do q and o in registers cost?",
        _facts(_reuse(numbers)),
    )
    yield Question(
        "Why is it not faster?",
        "A fused kernel can be slower than unfused matrix products although it moves less. What limits yours?"
        " Propose two changes, say which of the measured numbers each would move, and what makes each hard.",
        _facts(_limits(numbers)),
    )
    yield Question(
        "What grows as N, what as N²?",
        "Some introductions conclude from a table of times that FlashAttention takes O(N) time. Which of memory,"
        " traffic, operations and time grow as N, which as N², in naive attention and in yours? By what factor does"
        " each grow from N = 1024 to N = 32768?",
        _facts(_growth(numbers)),
    )
    yield Question(
        "Why subtract the maximum?",
        "exp(s - m) / Σ exp(s - m) is the same for every m. Which cases of the grader would a kernel without m lose,"
        " from which score on does float32 overflow, and why does m have to be carried along from tile to tile?",
        _facts(_stability(results)),
    )
    yield Question(
        "What does recomputing cost?",
        "The backward pass computes S and P again instead of reading them. How many operations more is that, how much"
        " memory does it save, and what does the time say?",
        _facts(_backward(numbers)),
    )


def _facts(found: list[str]) -> tuple[str, ...]:
    return tuple(found) or (NOT_MEASURED,)


def _loops(numbers: Numbers) -> list[str]:
    both = numbers.largest("lab3", "lab4")
    if both is None:
        return []
    facts = []
    for one, order in zip(both, ("keys outside", "queries outside"), strict=True):
        requested = one.meter("requested_bytes")
        if requested:
            facts.append(
                f"{short(one.lab)}, {order}: threads ask for {in_bytes(requested / one.heads)} per head at N = {one.n},"
                f" and {in_bytes(_extra(one) or 0)} are kept besides the tensors."
            )
    return facts


def _tiles(numbers: Numbers) -> list[str]:
    facts = []
    for lab in ("lab3", "lab4"):
        for one in numbers.points(lab)[-1:]:
            for launch in one.record.get("launches", ()):
                name, _, block, registers, shared, occupancy = _kernel(launch)
                facts.append(
                    f"{short(one.lab)}, {name} at d = {one.shape['head_dim']}: {shared} of shared memory and"
                    f" {registers} registers for each of {block} threads; occupancy {occupancy}."
                )
    return facts


def _reuse(numbers: Numbers) -> list[str]:
    facts = []
    for lab in ORDER:
        for one in numbers.points(lab)[-1:]:
            requested, distinct = one.meter("requested_bytes"), one.meter("distinct_bytes")
            if requested and distinct:
                facts.append(
                    f"{short(one.lab)} at N = {one.n}: asks for {in_bytes(requested / one.heads)} per head, of which"
                    f" {in_bytes(distinct / one.heads)} are distinct: each byte {requested / distinct:.3g} times."
                )
    return facts


def _limits(numbers: Numbers) -> list[str]:
    facts = []
    for lab in ORDER:
        for one in numbers.points(lab)[-1:]:
            seconds = numbers.time(one)
            if seconds is None or numbers.clock is None:
                continue
            text = f"{short(one.lab)}, N = {one.n}, {one.heads} heads: {in_seconds(seconds)}"
            modelled = one.modelled.get(numbers.clock.profile)
            if modelled:
                text += (
                    f", limited by {modelled['limiter']} ({100 * modelled['limiter_share']:.0f} %)"
                )
            facts.append(f"{text}; {numbers.clock.basis}.")
    return facts


def _growth(numbers: Numbers) -> list[str]:
    readings: dict[str, Callable[[Measurement], float | None]] = {
        "peak memory": lambda one: one.meter("peak_device_bytes"),
        "traffic": lambda one: one.meter("requested_bytes"),
        "operations": lambda one: one.operations,
    }
    facts = []
    for lab in ORDER:
        fits = {name: numbers.growth(lab, reading) for name, reading in readings.items()}
        shown = [f"{name} as N^{fit:.2f}" for name, fit in fits.items() if fit is not None]
        if shown:
            facts.append(f"{lab.replace('lab', 'lab ')}, fitted for one head: {', '.join(shown)}.")
    return facts


def _stability(results: list[Result]) -> list[str]:
    facts = []
    for result in results:
        for case in result["cases"]:
            error = case.get("error") or {}
            if "near_10000" in case["name"] and error.get("max_abs") is not None:
                facts.append(
                    f"{short(result['lab'])}, `{case['name']}`: {case['status']}, error {error['max_abs']:.1e}."
                )
    return facts


def _backward(numbers: Numbers) -> list[str]:
    both = numbers.largest("lab4", "lab5")
    if both is None:
        return []
    forward, backward = both
    facts = [
        f"Operations at N = {forward.n}, as the papers count: {forward.operations / 1e9:.3g} GFLOP forward,"
        f" {backward.operations / 1e9:.3g} GFLOP backward."
    ]
    times = numbers.time(forward), numbers.time(backward)
    if times[0] and times[1] and numbers.clock:
        facts.append(
            f"Time: {in_seconds(times[0])} forward, {in_seconds(times[1])} backward, {times[1] / times[0]:.2f} times;"
            f" {numbers.clock.basis}."
        )
    extra = _extra(backward)
    if extra is not None:
        facts.append(
            f"Kept besides the tensors: {in_bytes(extra)} per head; P and dS in full would be"
            f" {in_bytes(8 * backward.n**2)}."
        )
    return facts
