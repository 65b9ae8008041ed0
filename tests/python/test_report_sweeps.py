"""The figures of measurements: what they hold, what they compare, and what they leave out and say so."""

import pytest
from flashlab.errors import UsageError
from flashlab.report import machine
from flashlab.report.figure import Kind
from flashlab.report.measurements import Clock, current, labels, read
from flashlab.report.sweeps import against_clock, against_length, sweep_of
from flashlab.report.theory import NAIVE, fa1_traffic, operations
from flashlab.report.tiles import against_tile
from report_material import SHARES, line, sweep_lines, write_lines

H200 = Clock("modelled", "NVIDIA H200", "h200")
MEASURED = Clock("measured", "NVIDIA Test")


def measured_time(seconds: float, **more) -> dict:
    timing = {"median_s": seconds, "q1_s": seconds, "q3_s": seconds, "samples_s": [seconds]}
    return {"timing": timing, "device": {"kind": "cuda", "name": "NVIDIA Test"}, **more}


@pytest.fixture
def sweep(tmp_path):
    def make(lines):
        return sweep_of(read([write_lines(tmp_path / "bench.jsonl", lines)]))

    return make


@pytest.fixture
def tile_figures(tmp_path):
    def make(lines):
        return against_tile(read([write_lines(tmp_path / "bench.jsonl", lines)]), [MEASURED, H200])

    return make


def figure(figures, name):
    return {one.name: one for one in figures}[name]


def curve(chart, label):
    return dict(next(one.points for one in chart.series if one.label == label))


def test_memory_and_traffic_are_of_one_head(sweep):
    lines = [line("lab1_naive", n, heads) for n in (128, 256) for heads in (1, 4)]
    charts = against_length(sweep(lines))
    assert curve(figure(charts, "memory"), "lab 1") == {n: 8 * n * n + 1024 * n for n in (128, 256)}
    assert curve(figure(charts, "traffic"), "lab 1") == {n: 1056 * n * n for n in (128, 256)}


def test_memory_caption_names_the_fitted_growth(sweep):
    caption = figure(against_length(sweep(sweep_lines())), "memory").caption
    assert "lab 4 as N^1.00" in caption
    assert "lab 1 as N^1.7" in caption, "8 N² and 16 N d together, not 2"


def test_speed_up_is_over_naive_attention_of_the_same_shape(sweep):
    lines = [line("lab1_naive", n) for n in (128, 256)]
    lines += [line("lab4_flash_attention2", n) for n in (256, 512)]
    speed_up = figure(against_clock(sweep(lines), H200), "speedup-h200")
    assert curve(speed_up, "lab 4") == pytest.approx({256: 8.0}), "128 and 512 have no partner"


def test_no_speed_up_without_naive_attention(sweep):
    charts = against_clock(sweep([line("lab4_flash_attention2", 128)]), H200)
    assert [chart.name for chart in charts] == ["time-h200"]


def test_the_backward_pass_is_not_compared_with_the_forward_pass(sweep):
    speed_up = figure(against_clock(sweep(sweep_lines()), H200), "speedup-h200")
    assert [one.label for one in speed_up.series if one.kind is Kind.MEASURED] == ["lab 3", "lab 4"]


def test_times_of_different_numbers_of_heads_are_not_joined(sweep):
    lines = [line("lab1_naive", n, heads) for n, heads in ((128, 1), (256, 1), (512, 4))]
    assert set(curve(against_clock(sweep(lines), H200)[0], "lab 1")) == {128, 256}


def test_figures_say_whether_times_are_modelled_or_measured(sweep):
    lines = [line("lab1_naive", n) for n in (128, 256)]
    lines += [line("lab1_naive", n, modelled={}, **measured_time(1e-3)) for n in (128, 256)]
    both = sweep(lines)
    assert both.clocks[0] == MEASURED, "a measured time comes first"
    assert H200 in both.clocks
    for clock in both.clocks:
        chart = against_clock(both, clock)[0]
        assert clock.how in chart.basis
        assert chart.title.lower().startswith(clock.how)
    assert curve(against_clock(both, MEASURED)[0], "lab 1") == {128: 1e-3, 256: 1e-3}
    assert both.basis == "counted on the virtual GPU and measured on NVIDIA Test"


def test_wrong_and_skipped_points_are_in_no_figure(sweep):
    lines = [line("lab1_naive", 128), line("lab1_naive", 256, status="wrong")]
    lines.append(line("lab1_naive", 512, status="skipped", meters={}, modelled={}))
    charts = against_length(sweep(lines))
    assert set(curve(figure(charts, "memory"), "lab 1")) == {128}


def test_tiles_are_compared_with_their_own_theory(tile_figures):
    charts = tile_figures(sweep_lines())
    traffic = figure(charts, "tile-traffic-lab3_tiled_attention")
    measured = curve(traffic, "lab 3, requested by threads")
    assert measured == curve(traffic, "theory for this tile")
    assert measured == {tile: fa1_traffic(tile)(512, 64) for tile in (16, 32, 64, 128)}
    assert set(curve(traffic, NAIVE[0]).values()) == {16 * 512 * 512 + 16 * 512 * 64}
    assert measured[16] > NAIVE[1](512, 64) > measured[128], "the trap: small tiles move more"
    assert "kBc" in traffic.x.label
    time = figure(charts, "tile-time-lab3_tiled_attention")
    assert time.title.startswith("Modelled time")
    assert set(curve(time, "lab 3")) == {16, 32, 64, 128}


def test_a_constant_that_counts_no_rows_has_no_theory(tile_figures):
    lines = [line("lab4_flash_attention2", 512, tile={"kWarps": value}) for value in (4, 8)]
    traffic = figure(tile_figures(lines), "tile-traffic-lab4_flash_attention2")
    assert "theory for this tile" not in [one.label for one in traffic.series]


def test_changed_tiles_stay_out_of_the_curves_over_length(sweep):
    lines = [
        line("lab3_tiled_attention", 512),
        line("lab3_tiled_attention", 1024, tile={"kBc": 16}),
    ]
    assert set(curve(figure(against_length(sweep(lines)), "memory"), "lab 3")) == {512}


def test_roofline_points_are_operations_over_bytes_and_time(sweep, profiles):
    whole = sweep(sweep_lines())
    chart = machine.roofline(whole, H200, machine.load_peaks(profiles / "h200.toml"))
    (point,) = (one for one in chart.series if one.label.startswith("lab 4"))
    n = 1024
    work, seconds = 4 * n * n * 64, 1e-11 * n * n
    moved = 4 * (128 * n + n + n // 32 * 128 * n)
    expected = ((work / moved, work / seconds), (work / (16 * n * 64), work / seconds))
    assert [pytest.approx(one) for one in expected] == list(point.points)
    dram = next(one for one in chart.series if one.label == "DRAM roof")
    assert dram.points[1] == pytest.approx((2e13 / 4e12, 2e13)), "the ridge"


def test_limiters_hold_every_share(sweep):
    bars = machine.limiters(sweep(sweep_lines()), H200)
    assert dict(bars.parts)["shared memory"] == pytest.approx((90, 90, 90, 90))
    assert len(bars.parts) == len(SHARES)
    assert bars.notes[0] == "shared-memory bandwidth, 90 %"


def test_every_gpu_has_its_column(sweep):
    lines = sweep_lines()
    lines[3]["record"]["modelled"]["t4"] = None  # of lab 1, N = 1024: does not fit there
    table = machine.time_table(sweep(lines))
    assert table.head[2:4] == ("NVIDIA H200, modelled>", "NVIDIA T4, modelled>")
    assert [row[0] for row in table.rows] == ["lab 1", "lab 3", "lab 4", "lab 5"]
    assert table.rows[0][2:4] == ("83.9 µs", "–")
    assert table.rows[2][2:5] == ("10.5 µs", "105 µs", "25.6 TFLOP/s")


def test_only_the_graded_version_of_a_file_counts(tmp_path):
    old, new = line("lab1_naive", 128), line("lab1_naive", 256)
    old["series"]["sha256"], old["provenance"]["date"] = "0" * 64, "2026-11-20T00:00:00Z"
    found = read([write_lines(tmp_path / "bench.jsonl", [old, new])])
    path = new["series"]["submission"]
    assert [one.n for one in current(found, {})] == [256], "the newest"
    assert [one.n for one in current(found, {"lab1_naive": (path, "0" * 64)})] == [128]
    assert [one.n for one in current(found, {"lab1_naive": (path, "f" * 64)})] == [256]


def test_submissions_of_one_lab_have_names_and_colours_of_their_own(sweep):
    lines = [line("lab4_flash_attention2", 128) for _ in range(3)]
    for one, path in zip(
        lines[1:], ("solutions/lab4/x.cu", "solutions/lab4/tuned/x.cu"), strict=True
    ):
        one["series"]["submission"] = path
        one["key"] = path
    whole = sweep(lines)
    assert sorted(labels(whole.points).values()) == ["lab 4, own", "lab 4, staff", "lab 4, tuned"]
    assert len(set(whole.slots.values())) == 3


def test_a_torn_last_line_is_left_out(tmp_path):
    path = write_lines(
        tmp_path / "bench.jsonl", [line("lab1_naive", 128)], torn='{"key": "x", "ser'
    )
    assert [one.n for one in read([path])] == [128]


@pytest.mark.parametrize(
    ("text", "said"), [("nonsense\n", "damaged"), ('{"key": "x"}\n', "is no point of a sweep")]
)
def test_a_damaged_line_is_named(tmp_path, text, said):
    path = tmp_path / "bench.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=rf"bench.jsonl:1\b.*{said}"):
        read([path])


def test_a_point_without_a_shape_is_named(tmp_path):
    broken = line("lab1_naive", 128)
    del broken["record"]["shape"]["seq_q"]
    with pytest.raises(UsageError, match=f"bench.jsonl: the line with the key {broken['key']}"):
        read([write_lines(tmp_path / "bench.jsonl", [broken])])


def test_operations_count_what_the_mask_leaves():
    shape = {"batch": 2, "heads": 3, "seq_q": 4, "seq_k": 4, "head_dim": 8}
    assert operations("lab4_flash_attention2", shape) == 4 * 6 * 16 * 8
    assert operations("lab5_backward", shape) == 10 * 6 * 16 * 8
    assert operations("lab4_flash_attention2", {**shape, "causal": True}) == 4 * 6 * 10 * 8
    wide = {**shape, "seq_k": 6, "causal": True}
    assert operations("lab4_flash_attention2", wide) == 4 * 6 * (3 + 4 + 5 + 6) * 8
    assert operations("lab2_online_softmax", shape) == 0


def test_nothing_measured_is_no_sweep(sweep):
    assert sweep([]) is None
