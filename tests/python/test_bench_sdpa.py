"""PyTorch's columns of `flashlab bench`, with a stand-in for torch: which calls are timed, and what refusals become."""

import contextlib
import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest
from bench_fixtures import ROOT, make_bench
from flashlab import device
from flashlab.bench import series

GPU = "Test GPU"


class FakeEvent:
    """Takes one millisecond from each record to the next."""

    clock = 0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing

    def record(self) -> None:
        FakeEvent.clock += 1
        self.time = FakeEvent.clock

    def elapsed_time(self, end: "FakeEvent") -> float:
        return float(end.time - self.time)


class FakeTensor(SimpleNamespace):
    def zero_(self) -> None:
        pass

    def requires_grad_(self) -> "FakeTensor":
        return self


@pytest.fixture
def attended(monkeypatch) -> list[tuple]:
    """The calls of scaled_dot_product_attention, as (backend, dtype, size, causal), after torch was replaced."""
    calls: list[tuple] = []
    active: list[str] = []

    @contextlib.contextmanager
    def sdpa_kernel(backend):
        active.append(backend)
        yield
        active.pop()

    def attention(q, k, v, *, is_causal, scale):
        if active[-1] == "FLASH" and is_causal:
            raise RuntimeError("No available kernel.\nAborting execution.")
        calls.append((active[-1], q.dtype, q.size, is_causal))
        return q

    names = ("torch", "torch.nn", "torch.nn.attention", "torch.nn.functional")
    modules = {name: ModuleType(name) for name in names}
    torch = modules["torch"]
    torch.__spec__ = SimpleNamespace(name="torch")
    torch.__version__ = "9.9"
    torch.float32, torch.bfloat16, torch.uint8 = "float32", "bfloat16", "uint8"
    torch.Tensor = FakeTensor
    torch.empty = lambda size, dtype, device: FakeTensor()
    torch.randn = lambda size, device, dtype: FakeTensor(size=size, dtype=dtype)
    torch.manual_seed = lambda seed: None
    torch.autograd = SimpleNamespace(
        grad=lambda out, leaves, d_o, retain_graph: calls.append(("grad", out.dtype, out.size))
    )
    torch.cuda = SimpleNamespace(
        Event=FakeEvent,
        _sleep=lambda cycles: None,
        synchronize=lambda: None,
        empty_cache=lambda: None,
        reset_peak_memory_stats=lambda: None,
        max_memory_allocated=lambda: (256 << 20) + 4096,
        get_device_name=lambda: GPU,
    )
    backends = {
        name: name.partition("_")[0] for name in ("EFFICIENT_ATTENTION", "MATH", "FLASH_ATTENTION")
    }
    modules["torch.nn.attention"].SDPBackend = SimpleNamespace(**backends)
    modules["torch.nn.attention"].sdpa_kernel = sdpa_kernel
    modules["torch.nn.functional"].scaled_dot_product_attention = attention
    monkeypatch.delitem(sys.modules, "flashlab.bench.sdpa", raising=False)
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    yield calls
    sys.modules.pop("flashlab.bench.sdpa", None)


@pytest.fixture
def bench(repository, monkeypatch, tmp_path):
    gpu = device.Gpu(GPU, driver=tmp_path / "driver")
    monkeypatch.setattr(device, "probe_gpu", lambda: gpu)
    monkeypatch.setattr(series, "probe_gpu", lambda: gpu)
    monkeypatch.setattr(device, "find_nvidia_runtime", lambda layout: tmp_path / "cuda")
    made = make_bench(repository, monkeypatch)
    timing = {"repeats": 30, "median_s": 0.002, "q1_s": 0.001, "q3_s": 0.003}
    repository.plan(fields={"timing": timing, "modelled": None})
    return made


def test_every_backend_is_a_series_of_its_own(bench, flashlab, attended):
    answer = flashlab("bench", "lab4", "--n", "64", "--heads", "2", "--both")
    assert answer.code == 0, answer.err
    lines = bench.lines("sweep")
    backends = {line["series"]["submission"] for line in lines if line["series"]["lab"] == "torch"}
    assert backends == {"efficient float32", "math float32", "flash bfloat16"}
    assert len(lines) == 2 + 3 * 2
    timed = lines[2]["record"]
    assert timed["status"] == "ok"
    assert timed["timing"]["median_s"] == pytest.approx(0.001)
    assert len(timed["timing"]["events_s"]) == timed["timing"]["repeats"] == 30
    assert timed["meters"] == {"peak_device_bytes": 4096}
    assert ("EFFICIENT", "float32", (1, 2, 64, 64), False) in attended
    assert ("FLASH", "bfloat16", (1, 2, 64, 64), False) in attended
    assert {size for _, _, size, *_ in attended} == {(1, 2, 64, 64)}
    assert "PyTorch math float32 forward" in answer.out


def test_lab_5_is_compared_with_the_backward_pass(bench, flashlab, attended):
    folder = bench.root / "labs/lab5_backward"
    folder.mkdir()
    shutil.copy(ROOT / "labs/lab5_backward/lab.toml", folder)
    (folder / "flash_attention_backward.cu").write_text("// gradients\n")
    assert flashlab("bench", "lab5", "--n", "64").code == 0
    assert {line["record"]["entry"] for line in bench.lines("sweep")[1:]} == {"sdpa_backward"}
    assert attended.count(("grad", "float32", (1, 1, 64, 64))) == 2 * (30 + 3)


def test_a_backend_that_refuses_is_a_failed_point(bench, flashlab, attended):
    flashlab("bench", "lab4", "--n", "64", "--causal")
    records = {line["series"]["submission"]: line["record"] for line in bench.lines("sweep")}
    assert records["flash bfloat16"]["status"] == "failed"
    assert records["flash bfloat16"]["message"] == "No available kernel."
    assert records["math float32"]["status"] == "ok"


def test_pytorch_is_not_measured_twice_either(bench, flashlab, attended):
    flashlab("bench", "lab4", "--n", "64")
    count = len(attended)
    assert count > 0
    flashlab("bench", "lab4", "--n", "64")
    assert len(attended) == count


def test_without_pytorch_a_line_says_so(bench, flashlab, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    answer = flashlab("bench", "lab4", "--n", "64")
    assert answer.code == 0, answer.err
    assert "PyTorch is not installed" in answer.out
    assert len(bench.lines("sweep")) == 1


def test_no_torch_leaves_it_out(bench, flashlab, attended):
    flashlab("bench", "lab4", "--n", "64", "--no-torch")
    assert attended == []
    assert len(bench.lines("sweep")) == 1
