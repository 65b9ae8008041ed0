"""Where things are in a FlashLab repository."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders of one repository; every path derives from its root."""

    root: Path

    @staticmethod
    def of_this_package() -> "Layout":
        """The repository that this package is part of."""
        return Layout(Path(__file__).resolve().parents[2])

    @property
    def labs(self) -> Path:
        """What students edit."""
        return self.root / "labs"

    @property
    def solutions(self) -> Path:
        """The staff's kernels, in folders named as those of `labs`."""
        return self.root / "solutions"

    @property
    def headers(self) -> Path:
        """The only headers that a submission may include, besides CUDA's."""
        return self.labs / "include"

    @property
    def judge(self) -> Path:
        """The trusted grader process."""
        return self.root / "build/bin/flashlab-judge"

    @property
    def measure(self) -> Path:
        """The trusted program that measures one submission."""
        return self.root / "build/bin/flashlab-measure"

    @property
    def worker(self) -> Path:
        """The untrusted process that runs one submission."""
        return self.root / "build/bin/flashlab-worker"

    @property
    def confine(self) -> Path:
        """The launcher that takes files and system calls away from a program: grader/sandbox."""
        return self.root / "build/bin/flashlab-confine"

    @property
    def virtual_runtime(self) -> Path:
        """The folder of the virtual GPU's libcudart.so.13."""
        return self.root / "build/lib"

    @property
    def cache(self) -> Path:
        """Built submissions, by the hash of all that they depend on."""
        return self.root / "build/cache"

    @property
    def results(self) -> Path:
        """Results of `flashlab grade`."""
        return self.root / "build/results"

    @property
    def bench(self) -> Path:
        """Points of `flashlab bench`, one file per sweep."""
        return self.results / "bench"

    @property
    def gpus(self) -> Path:
        """Profiles of the GPUs that times are modelled for."""
        return self.root / "grader/judge/gpus"

    @property
    def demo_results(self) -> Path:
        """Results of `flashlab demo`: the staff's, kept apart from a student's own."""
        return self.root / "build/demo/results"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.root / "build/report/index.html"

    def shown(self, path: Path) -> str:
        """`path` as people should read it: relative to the root where it lies inside."""
        path = path.absolute()
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)
