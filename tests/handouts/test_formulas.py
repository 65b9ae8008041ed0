"""The formulas of the chapters, evaluated: against the counters of the virtual GPU and in float64."""

import json
import math
import tomllib
from pathlib import Path

import course_numbers as course
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
CALLS = json.loads((ROOT / "handouts/data/model_counts.json").read_text(encoding="utf-8"))["calls"]
FILES = {
    "lab1": "solutions/lab1_naive/naive_attention.cu lab1_naive_attention",
    "lab3": "solutions/lab3_tiled_attention/tiled_attention.cu lab3_tiled_attention",
    "lab4": "solutions/lab4_flash_attention2/flash_attention2.cu lab4_flash_attention2",
    "lab5": "solutions/lab5_backward/flash_attention_backward.cu lab5_flash_attention_backward",
}
random = np.random.default_rng(7)


def counted(lab: str, causal: bool = False):
    """(heads, N, d, launches) of each recorded call of the staff's kernel on squares."""
    found = []
    for name, launches in CALLS.items():
        if name.startswith(f"{FILES[lab]} "):
            batch, heads, nq, nk, d, mask = (int(word) for word in name.split()[2:])
            if nq == nk and bool(mask) == causal:
                found.append((batch * heads, nq, d, launches))
    assert len(found) >= (1 if causal else 5)
    return found


def requested(launches) -> int:
    return sum(one["global_load_bytes"] + one["global_store_bytes"] for one in launches)


def multiply_adds(launches) -> int:
    return 32 * sum(one["warp_instructions_by_class"].get("fma32", 0) for one in launches)


def test_bytes_of_the_naive_kernels():
    for heads, n, d, launches in counted("lab1"):
        distinct = 32 * sum(one["compulsory_sectors"] for one in launches)
        assert distinct == heads * course.naive_bytes(n, d)
        assert requested(launches) == heads * n * (8.25 * n * d + 20 * n + 4 * d)
        sectors = 32 * sum(
            one["global_load_sectors"] + one["global_store_sectors"] for one in launches
        )
        assert sectors == pytest.approx(heads * 38 * n * n * d, rel=0.04)
        per_product = [32 * one["global_load_sectors"] / (heads * n * n * d) for one in launches]
        assert per_product[0] == pytest.approx(33, rel=0.01)
        assert per_product[2] == pytest.approx(5, rel=0.01)


def test_bytes_of_lab_2():
    for name, (launch, *_) in CALLS.items():
        if name.startswith("solutions/lab2") and "merge" not in name:
            rows, columns = (int(word) for word in name.split()[4:6])
            reads = 1 if "statistics" in name else 2
            assert launch["global_load_bytes"] == reads * 4 * rows * columns
            if reads == 2:
                assert launch["global_store_bytes"] == 4 * rows * columns


@pytest.mark.parametrize(
    ("lab", "formula"),
    [
        ("lab3", lambda n, d: course.fa1_bytes(n, d, 4096 // d)),
        ("lab4", lambda n, d: course.fa2_bytes(n, d, 64)),
        ("lab5", lambda n, d: course.backward_bytes(n, d, 32)),
    ],
)
def test_bytes_of_the_tiled_kernels_are_exactly_the_formula(lab, formula):
    for heads, n, d, launches in counted(lab):
        assert requested(launches) == heads * formula(n, d), (n, d)


@pytest.mark.parametrize(
    ("lab", "products", "spare"),
    [("lab1", 2, 0.1), ("lab3", 2, 0.1), ("lab4", 2, 0.2), ("lab5", 7, 0.1)],
)
def test_operations(lab, products, spare):
    """Each product takes N^2 d multiply-adds; what else the kernels multiply is little."""
    for heads, n, d, launches in counted(lab):
        if n >= 512 and d >= 64:
            share = multiply_adds(launches) / (products * heads * n * n * d)
            assert 1 <= share <= 1 + spare, (n, d)
    assert course.flops(4096, 64) == 2 * 2 * 4096**2 * 64


def test_limits_of_memory_are_those_of_the_text():
    """Handout 1, section 6: 8 N^2 bytes for each head and 2 % more. Handout 3, section 5: 8 N, and nothing like N^2."""
    shape = {"B": 2, "H": 3, "Nq": 1000, "Nk": 1000, "d": 64}
    limits = {}
    for lab in ("lab1_naive", "lab3_tiled_attention"):
        text = (ROOT / f"labs/{lab}/lab.toml").read_text(encoding="utf-8")
        limits[lab] = [
            (eval(limit["at_least"], shape), eval(limit["at_most"], shape))  # our own text
            for case in tomllib.loads(text)["case"]
            for limit in case.get("limits", [])
            if limit["meter"] == "workspace_bytes"
        ]
        assert limits[lab]
    for _, most in limits["lab1_naive"]:
        assert most == pytest.approx(1.02 * 6 * 8 * 1000**2, rel=1e-3)
    for least, most in limits["lab3_tiled_attention"]:
        assert least == 6 * 8 * 1000
        assert most < 6 * 8 * 1000**2 / 10


def test_where_tiles_pay():
    naive = course.naive_bytes(4096, 64)
    assert course.fa1_bytes(4096, 64, 32) > naive > course.fa1_bytes(4096, 64, 64)
    assert course.fa2_bytes(4096, 64, 16) > naive > course.fa2_bytes(4096, 64, 32)


def test_pairs_of_tiles_under_the_mask():
    def visits(n, br, bc):
        i, j = np.indices((n, n))
        seen = {(a // br, b // bc) for a, b in zip(*np.where(j <= i), strict=True)}
        return len(seen)

    for n, br, bc in ((256, 64, 32), (200, 32, 64), (96, 32, 32)):
        assert course.causal_tiles(n, br, bc) == visits(n, br, bc)


def test_where_exponentials_overflow_and_vanish():
    with np.errstate(over="ignore", under="ignore"):
        edge = course.overflow_score()
        assert np.isfinite(np.exp(np.float32(edge - 1e-4)))
        assert np.isinf(np.exp(np.float32(edge + 1e-4)))
        assert np.exp(np.float32(-104)) == 0 < np.exp(np.float32(-103))


def state(scores, values):
    m = scores.max(initial=-np.inf)
    weights = np.exp(scores - m) if scores.size else scores
    return m, weights.sum(), weights @ values


def merge(a, b):
    """Handout 2, section 3, with the case of two empty states of section 4."""
    m = max(a[0], b[0])
    if m == -np.inf:
        return a
    left, right = math.exp(a[0] - m), math.exp(b[0] - m)
    return m, a[1] * left + b[1] * right, a[2] * left + b[2] * right


def same(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)


def test_the_worked_example():
    m, total, o = 3.0, 2.5, np.array([1.0, 2.0])
    for score, value in ((4.0, [0.5, 0.0]), (3.5, [0.0, 1.0])):
        m, total, o = merge((m, total, o), (score, 1.0, np.array(value)))
    at_once = merge(
        (3.0, 2.5, np.array([1.0, 2.0])), state(np.array([4.0, 3.5]), np.array([[0.5, 0], [0, 1]]))
    )
    same((m, total, o), at_once)
    assert m == 4
    assert [f"{x:.4f}" for x in (math.exp(-1), total, *o)] == [
        "0.3679",
        "2.5262",
        "0.8679",
        "1.3423",
    ]
    text = (ROOT / "handouts/en/2-online-softmax.md").read_text(encoding="utf-8")
    assert all(
        f"-->{number}<!--/-->" in text for number in ("0.3679", "2.5262", "0.8679", "1.3423")
    )


def test_merging_is_associative_commutative_and_has_a_neutral_element():
    empty = (-np.inf, 0.0, np.zeros(3))
    for spread in (1, 100, 10000):
        scores, values = random.normal(0, spread, 30), random.normal(0, 1, (30, 3))
        cuts = (slice(0, 4), slice(4, 17), slice(17, 30))
        a, b, c = (state(scores[cut], values[cut]) for cut in cuts)
        same(merge(merge(a, b), c), merge(a, merge(b, c)))
        same(merge(a, b), merge(b, a))
        same(merge(merge(a, b), c), state(scores, values))
        same(merge(a, empty), a)
        same(merge(empty, a), a)
    same(merge(empty, empty), empty)


def attention(q, k, v, scale, causal=False):
    scores = scale * q @ k.T
    if causal:
        i, j = np.indices(scores.shape)
        scores[j > i + k.shape[0] - q.shape[0]] = -np.inf
    largest = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - largest)
    total = weights.sum(axis=1, keepdims=True)
    return scores, weights / total, weights @ v / total, (largest + np.log(total))[:, 0]


def test_the_order_of_flash_attention_1_and_the_log_sum_exp():
    q, k, v = (random.normal(0, 2, (n, 8)) for n in (5, 12, 12))
    scores, p, o, lse = attention(q, k, v, 0.5)
    for i in range(5):
        m, total, out = -np.inf, 0.0, np.zeros(8)
        for tile in range(0, 12, 4):  # handout 3, section 4
            s = scores[i, tile : tile + 4]
            new = max(m, s.max())
            weights, alpha = np.exp(s - new), math.exp(m - new)
            new_total = alpha * total + weights.sum()
            out = (alpha * total * out + weights @ v[tile : tile + 4]) / new_total
            m, total = new, new_total
        np.testing.assert_allclose(out, o[i], rtol=1e-12)
        np.testing.assert_allclose(m + math.log(total), lse[i], rtol=1e-12)
    np.testing.assert_allclose(np.exp(scores - lse[:, None]), p, rtol=1e-12)  # handout 5, section 3
    parts = [attention(q, k[part], v[part], 0.5) for part in (slice(0, 5), slice(5, 12))]
    (_, _, o_a, l_a), (_, _, o_b, l_b) = parts  # handout 4, section 7
    both = np.log(np.exp(l_a) + np.exp(l_b))
    np.testing.assert_allclose(both, lse, rtol=1e-12)
    merged = np.exp(l_a - both)[:, None] * o_a + np.exp(l_b - both)[:, None] * o_b
    np.testing.assert_allclose(merged, o, rtol=1e-12)


def gradients(q, k, v, d_o, scale, causal):
    """Handout 5, section 1."""
    _, p, o, _ = attention(q, k, v, scale, causal)
    d_v, d_p = p.T @ d_o, d_o @ v.T
    row_dot = (d_o * o).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(row_dot, (p * d_p).sum(axis=1, keepdims=True), rtol=1e-10)
    d_s = p * (d_p - row_dot)
    return scale * d_s @ k, scale * d_s.T @ q, d_v, d_s


@pytest.mark.parametrize(("nq", "nk", "causal"), [(6, 6, False), (4, 9, False), (5, 7, True)])
def test_gradients_against_finite_differences(nq, nk, causal):
    scale, step = 0.35, 1e-6
    inputs = [random.normal(0, 1, (n, 4)) for n in (nq, nk, nk)]
    d_o = random.normal(0, 1, (nq, 4))
    *formulas, d_s = gradients(*inputs, d_o, scale, causal)
    for number, formula in enumerate(formulas):
        for place in np.ndindex(formula.shape):
            losses = []
            for sign in (1, -1):
                moved = [x.copy() for x in inputs]
                moved[number][place] += sign * step
                losses.append((attention(*moved, scale, causal)[2] * d_o).sum())
            difference = (losses[0] - losses[1]) / (2 * step)
            assert formula[place] == pytest.approx(difference, rel=1e-6, abs=1e-8)
    q, k, _ = inputs
    d_q, d_k, d_v = formulas
    np.testing.assert_allclose(d_s.sum(axis=1), 0, atol=1e-12)
    assert (d_q * q).sum() == pytest.approx((d_k * k).sum())
    scores = attention(*inputs, scale, causal)[0]
    finite = np.isfinite(scores)
    assert (d_q * q).sum() == pytest.approx((d_s[finite] * scores[finite]).sum())
    np.testing.assert_allclose(d_v.sum(axis=0), d_o.sum(axis=0), rtol=1e-10)


def test_a_wrong_gradient_is_seen():
    q, k, v, d_o = (random.normal(0, 1, (5, 4)) for _ in range(4))
    d_q = gradients(q, k, v, d_o, 0.5, False)[0]
    _, p, _, _ = attention(q, k, v, 0.5)
    without_row_dot = 0.5 * (p * (d_o @ v.T)) @ k
    assert not np.allclose(d_q, without_row_dot, rtol=1e-3)


@pytest.mark.parametrize(
    ("stride", "wavefronts"), [(64, 32), (65, 1), (33, 1), (128, 32), (129, 1)]
)
def test_bank_conflicts(stride, wavefronts):
    banks = [(lane * stride + 5) % 32 for lane in range(32)]
    assert max(banks.count(bank) for bank in banks) == wavefronts


def test_linear_attention_and_rotary_positions():
    phi_q, phi_k, v = (random.uniform(0, 1, (6, 3)) for _ in range(3))
    np.testing.assert_allclose((phi_q @ phi_k.T) @ v, phi_q @ (phi_k.T @ v))

    def rotated(x, position):
        c, s = math.cos(0.3 * position), math.sin(0.3 * position)
        return np.array([[c, -s], [s, c]]) @ x

    q, k = random.normal(0, 1, (2, 2))
    products = [rotated(q, i) @ rotated(k, i - 4) for i in (4, 9, 30)]
    np.testing.assert_allclose(products, products[0])
