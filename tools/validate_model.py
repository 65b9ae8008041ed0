"""How far the modelled times are from those measured on an H200.

    .venv/bin/python tools/validate_model.py            what handouts/data/ says, as a table
    .venv/bin/python tools/validate_model.py --write    the same into grader/judge/model/README.md, and the figure
    .venv/bin/python tools/validate_model.py --fit      looks for better constants (model.hpp) and prints them

It needs a built build/bin/flashlab-model. Half of the kernels, every second by name, serve to fit the constants; the
errors of the other half are those that count. tools/record_times.py records what is compared.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "handouts/data"
README = ROOT / "grader/judge/model/README.md"
FIGURE = ROOT / "handouts/figures/model_h200.svg"
MODEL = ROOT / "build/bin/flashlab-model"
BEGIN, END = "<!-- tools/validate_model.py: begin -->", "<!-- tools/validate_model.py: end -->"
# How far the search for constants may go; it begins in the middle.
BOUNDS = {
    "overlap": (2.0, 8.0),
    "integer_kept": (0.2, 1.0),
    "chain_per_branch": (2.0, 60.0),
    "shared_in_flight": (1.0, 32.0),
    "global_in_flight": (1.0, 16.0),
}
FIRST_STEP, LAST_STEP = 1.4, 1.02  # factors
GROUPS = ("lab 1", "lab 2", "lab 3", "lab 4", "lab 5", "programs")
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#777777")  # Okabe and Ito
MARKERS = "os^Dv*"


@dataclass(frozen=True)
class Launch:
    """A launch that was measured, with the virtual GPU's record of it."""

    source: str
    causal: bool
    kernel: str
    seconds: float
    record: dict[str, Any]

    @property
    def group(self) -> str:
        """The lab."""
        place = self.source.split("/")
        name = next((part for part in place[:-1] if part.startswith("lab")), "")
        return f"lab {name[3]}" if name else "programs"

    @property
    def family(self) -> str:
        """Kernels of one name in one lab: submissions of a corpus share some, or differ in one line."""
        return f"{self.group} {self.kernel}"


@dataclass(frozen=True)
class Errors:
    """How far predictions are off."""

    launches: int
    median: float  # of |predicted / measured - 1|
    ninth_decile: float
    rank_correlation: float  # Spearman's
    bias: float  # geometric mean of predicted / measured


def load_launches() -> list[Launch]:
    """What handouts/data/ holds. The two files must hold the same launches."""
    times = json.loads((DATA / "times_h200.json").read_text(encoding="utf-8"))["calls"]
    counts = json.loads((DATA / "model_counts.json").read_text(encoding="utf-8"))["calls"]
    if times.keys() != counts.keys():
        raise SystemExit("validate_model: the times and the counts are of different calls")
    launches = []
    for call, of_call in times.items():
        words = call.split()
        for time, record in zip(of_call, counts[call], strict=True):
            if any(time[key] != record[key] for key in ("kernel", "grid", "block")):
                raise SystemExit(
                    f"validate_model: times and counts differ in the launches of {call}"
                )
            causal = len(words) == 8 and words[-1] == "1"
            launches.append(Launch(words[0], causal, time["kernel"], time["seconds"], record))
    return launches


def fitted(launches: list[Launch]) -> np.ndarray:
    """Which launches serve to fit the constants."""
    kernels = sorted({launch.family for launch in launches})
    return np.array([kernels.index(launch.family) % 2 == 0 for launch in launches])


def model(launches: list[Launch]) -> Callable[[dict[str, float]], np.ndarray]:
    """A function from constants (those of model.hpp where it names none) to modelled seconds."""
    file = tempfile.NamedTemporaryFile("w", suffix=".json")  # noqa: SIM115  # lives as long as the function
    json.dump([launch.record for launch in launches], file)
    file.flush()

    def seconds(constants: dict[str, float]) -> np.ndarray:
        words = [str(MODEL), "--gpu", "h200", file.name]
        for name, value in constants.items():
            words += ["--set", f"{name}={value}"]
        text = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        return np.array([launch["seconds"] for launch in json.loads(text)["launches"]])

    return seconds


def ranks(values: np.ndarray) -> np.ndarray:
    """Places in ascending order; equal values share the mean of theirs."""
    _, which, sizes = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(sizes) - (sizes - 1) / 2)[which]


def errors(predicted: np.ndarray, measured: np.ndarray) -> Errors:
    """Of some launches."""
    off = np.abs(predicted / measured - 1)
    return Errors(
        len(off),
        float(np.median(off)),
        float(np.quantile(off, 0.9)),
        float(np.corrcoef(ranks(predicted), ranks(measured))[0, 1]),
        float(np.exp(np.mean(np.log(predicted / measured)))),
    )


def fit(
    seconds: Callable[[dict[str, float]], np.ndarray], measured: np.ndarray, chosen: np.ndarray
) -> dict[str, float]:
    """Constants with a small mean of |ln(predicted / measured)|, looked for one by one in ever smaller steps."""

    def loss(constants: dict[str, float]) -> float:
        return float(np.mean(np.abs(np.log(seconds(constants)[chosen] / measured[chosen]))))

    best = {name: (low * high) ** 0.5 for name, (low, high) in BOUNDS.items()}
    least, step = loss(best), FIRST_STEP
    while step > LAST_STEP:
        before = least
        for name, (low, high) in BOUNDS.items():
            for factor in (step, 1 / step):
                other = best | {name: min(high, max(low, best[name] * factor))}
                if (found := loss(other)) < least:
                    least, best = found, other
                    break
        if least == before:
            step = step**0.5
    return best


def table(launches: list[Launch], predicted: np.ndarray) -> str:
    """The errors of both halves and of each group of the held-out half, in Markdown."""
    measured = np.array([launch.seconds for launch in launches])
    chosen = fitted(launches)
    causal = np.array([launch.causal for launch in launches])
    groups = np.array([launch.group for launch in launches])
    rows = {"constants fitted on these": chosen, "**held out**": ~chosen}
    rows |= {f"held out, {group}": ~chosen & (groups == group) for group in GROUPS}
    rows |= {"held out, with a causal mask": ~chosen & causal}
    rows |= {"held out, below 10 us": ~chosen & (measured < 1e-5)}
    lines = [
        "| launches | number | median error | 9 of 10 within | rank correlation | predicted / measured |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, mask in rows.items():
        e = errors(predicted[mask], measured[mask])
        lines.append(
            f"| {name} | {e.launches} | {e.median:.1%} | {e.ninth_decile:.0%} "
            f"| {e.rank_correlation:.3f} | {e.bias:.2f} |"
        )
    return "\n".join(lines).replace("%", " %")


def fingerprint(launches: list[Launch], predicted: np.ndarray) -> str:
    """Tells whether a figure shows these numbers."""
    pairs = [f"{l.seconds:.4e} {p:.4e}" for l, p in zip(launches, predicted, strict=True)]  # noqa: E741
    return hashlib.sha256("\n".join(pairs).encode()).hexdigest()[:16]


def draw(launches: list[Launch], predicted: np.ndarray, file: Path) -> None:
    """Predicted against measured, on a white ground that both light and dark pages can show."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "flashlab"
    from matplotlib import pyplot as plt

    chosen = fitted(launches)
    figure, axes = plt.subplots(figsize=(6.4, 5.6), layout="constrained")
    ends = np.array([1.5, 30000.0])
    axes.fill_between(ends, ends / 1.25, ends * 1.25, color="#999999", alpha=0.25, lw=0)
    axes.plot(ends, ends, color="#555555", lw=1)
    for group, colour, marker in zip(GROUPS, COLOURS, MARKERS, strict=True):
        for held_out in (False, True):
            some = [
                (launch.seconds * 1e6, seconds * 1e6)
                for launch, seconds, is_fitted in zip(launches, predicted, chosen, strict=True)
                if launch.group == group and is_fitted != held_out
            ]
            face = colour if held_out else "none"
            axes.scatter(
                *zip(*some, strict=True) if some else ((), ()),
                s=22, marker=marker, facecolors=face, edgecolors=colour, linewidths=0.9,
                label=group if held_out else None,
            )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    axes.set(xlabel="measured on an H200, µs", ylabel="modelled, µs")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", title="filled: held out, hollow: fitted")
    description = f"{len(launches)} launches, {fingerprint(launches, predicted)}"
    figure.savefig(file, metadata={"Date": None, "Description": description}, facecolor="white")


def main() -> int:
    """Compares, writes or fits."""
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    launches = load_launches()
    seconds = model(launches)
    if options.fit:
        measured = np.array([launch.seconds for launch in launches])
        chosen = fitted(launches)
        for title, half in (("the fitted half", chosen), ("the other half, to compare", ~chosen)):
            constants = fit(seconds, measured, half)
            off = errors(seconds(constants)[~half], measured[~half])
            print(f"{title}: " + ", ".join(f"{k} = {v:.3g}" for k, v in constants.items()))
            print(
                f"  held out then: median {off.median:.1%}, rank correlation {off.rank_correlation:.3f}"
            )
        return 0
    predicted = seconds({})
    text = table(launches, predicted)
    print(text)
    if options.write:
        draw(launches, predicted, FIGURE)
        page = README.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        _, after = rest.split(END)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
