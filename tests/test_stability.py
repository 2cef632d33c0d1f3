"""Replace-one score stability against 50-digit arithmetic, closed forms and the plain reference."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics import reference_stability, stability
from numerics.stability import score_stability


def brute_force(data, replacement, queries, mu, sigma):
    """Every posterior mean summed afresh, with enough digits to survive the subtraction."""
    own = replacement.ndim == 2
    rows, dimension = data.shape
    reach = max(np.abs(data).max(), np.abs(replacement).max())
    largest = max(mu * reach, np.abs(queries).max(), 1e-300) / sigma
    # Exponents up to `largest`^2 must be right to 50 digits, and differences down to exp(-800).
    depth = min(1.0, largest**2 / 100.0)
    digits = int(50 + 2 * max(0.0, np.log10(largest)) + 750 * depth)
    with mpmath.workdps(digits):
        scale = mpmath.mpf(mu)
        inverse = 1 / (2 * mpmath.mpf(sigma) ** 2)
        number = [[mpmath.mpf(float(v)) for v in row] for row in data]
        result = []
        weights = {}
        for i in range(rows):
            new = [mpmath.mpf(float(v)) for v in (replacement[i] if own else replacement)]
            total = mpmath.mpf(0)
            probes = queries[i] if own else queries
            for m, probe in enumerate(probes):
                query = [mpmath.mpf(float(v)) for v in probe]
                key = (i, m) if own else m
                if key not in weights:
                    depths = [
                        inverse * sum((q - scale * y) ** 2 for q, y in zip(query, p, strict=True))
                        for p in [*number, new]
                    ]
                    weights[key] = depths
                depths = weights[key]

                def mean(points, exponents):
                    top = min(exponents)
                    w = [mpmath.exp(top - e) if e - top < 2000 else 0 for e in exponents]
                    whole = sum(w)
                    return [
                        sum(a * p[k] for a, p in zip(w, points, strict=True)) / whole
                        for k in range(dimension)
                    ]

                before = mean(number, depths[:-1])
                after = mean(
                    [*number[:i], new, *number[i + 1 :]],
                    [*depths[:i], depths[-1], *depths[i + 1 : -1]],
                )
                total += sum((a - b) ** 2 for a, b in zip(before, after, strict=True))
            result.append(total * (2 * inverse * scale) ** 2 / len(probes))
        return result


def random_problem(rng, *, nasty):
    """Points, replacement, queries and noise of very different relative sizes."""
    rows, dimension, number = rng.integers(1, (5, 4, 3))
    lead = (rows,) if rng.random() < 0.4 else ()
    mu = float(rng.choice([1.0, rng.uniform(), 1e-6, 3.0])) if nasty else rng.uniform(0.3, 1.0)
    sigma = 10.0 ** rng.uniform(-3.0, 1.5)
    data = rng.standard_normal((rows, dimension))
    new = rng.standard_normal((*lead, dimension))
    chosen = rng.integers(rows, size=lead)
    kind = 0
    if nasty:
        if rng.random() < 0.3:
            sigma = 10.0 ** rng.uniform(-12.0, 12.0)
        if rng.random() < 0.3:
            data = np.round(data)
        if rng.random() < 0.1:
            data[:] = data[0]
        if rng.random() < 0.1:
            data = data + 1e8
        if rng.random() < 0.1:
            data = data * 10.0 ** rng.uniform(-8.0, 8.0)
        kind = rng.integers(5)
        new = [
            new,
            data[chosen] * (1.0 + 10.0 ** rng.uniform(-14.0, -1.0)),
            data[chosen].copy(),
            new * 10.0 ** rng.uniform(0.0, 9.0),
            np.round(new),
        ][kind]
    shape = (*lead, number, dimension)
    noise = sigma * rng.standard_normal(shape)
    pick = rng.integers(rows, size=(2, *lead, number))
    kind = rng.integers(4) if nasty else rng.integers(2)
    queries = [
        mu * new[..., None, :] + noise,
        mu * data[pick[0]] + noise,
        10.0 ** rng.uniform(0.0, 8.0) * rng.standard_normal(shape),
        mu * (data[pick[0]] + data[pick[1]]) / 2.0,
    ][kind]
    return data, new, queries, mu, sigma


def test_radius_contains_the_true_value_for_random_and_nasty_inputs():
    contained = noticed = 0
    for seed in range(2400):
        rng = np.random.default_rng(seed)
        data, new, queries, mu, sigma = random_problem(rng, nasty=seed % 4 > 0)
        value, radius = score_stability(data, new, queries, mu=mu, sigma=sigma, return_radius=True)
        assert np.isfinite(value).all()
        assert np.isfinite(radius).all()
        assert (value >= 0).all()
        exact = brute_force(data, new, queries, mu, sigma)
        for found, bound, true in zip(value, radius, exact, strict=True):
            assert abs(mpmath.mpf(float(found)) - true) <= mpmath.mpf(float(bound)), seed
            contained += 1
            noticed += abs(mpmath.mpf(float(found)) * (1 + mpmath.mpf("1e-6")) - true) > bound
    assert contained > 5000
    # The radius is tight enough that an error in the sixth digit falls outside most of the time.
    assert noticed > 0.7 * contained


def test_ordinary_inputs_have_ten_digits_and_a_radius_to_match():
    tight = []
    for seed in range(300):
        rng = np.random.default_rng([1, seed])
        data, new, queries, mu, sigma = random_problem(rng, nasty=False)
        value, radius = score_stability(data, new, queries, mu=mu, sigma=sigma, return_radius=True)
        for found, bound, true in zip(
            value, radius, brute_force(data, new, queries, mu, sigma), strict=True
        ):
            if true > 1e-250:
                assert abs(mpmath.mpf(float(found)) / true - 1) < 1e-10, seed
                tight.append(bound / found)
    assert len(tight) > 400
    assert np.median(tight) < 1e-11
    assert np.quantile(tight, 0.95) < 1e-8


small = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 1e-8, 1e8, -3.0, 1.0 + 2**-52])


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.lists(small, min_size=1, max_size=4),
    small,
    small,
    st.sampled_from([0.0, 1.0, 0.1, 2.0]),
    st.sampled_from([1e-12, 1e-6, 0.03, 0.1, 1.0, 7.0, 1e12]),
)
def test_points_on_a_line_chosen_to_coincide(points, new, query, mu, sigma):
    data = np.array(points)[:, None]
    arguments = data, np.array([new]), np.array([[query]])
    value, radius = score_stability(*arguments, mu=mu, sigma=sigma, return_radius=True)
    exact = brute_force(*arguments, mu, sigma)
    assert np.isfinite(value).all()
    assert np.isfinite(radius).all()
    for found, bound, true in zip(value, radius, exact, strict=True):
        assert abs(mpmath.mpf(float(found)) - true) <= mpmath.mpf(float(bound))
    # A point replaced by itself changes nothing, to the last bit.
    assert (value[np.array(points) == new] == 0.0).all()


@pytest.mark.parametrize("mode", ["shared", "own"])
@pytest.mark.parametrize("dimension", [1, 2, 5, 64])
def test_agrees_with_the_reference(mode, dimension):
    rng = np.random.default_rng(dimension)
    data = rng.standard_normal((23, dimension))
    lead = (23,) if mode == "own" else ()
    new = rng.standard_normal((*lead, dimension))
    queries = 0.8 * new[..., None, :] + 0.6 * rng.standard_normal((*lead, 9, dimension))
    found = score_stability(data, new, queries, mu=0.8, sigma=0.6)
    plain = reference_stability.score_stability(data, new, queries, mu=0.8, sigma=0.6)
    assert found.shape == (23,)
    np.testing.assert_allclose(found, plain, rtol=1e-8, atol=1e-13 * plain.max())


def test_own_mode_with_equal_rows_is_shared_mode():
    rng = np.random.default_rng(5)
    data = rng.standard_normal((9, 3))
    new, queries = rng.standard_normal(3), rng.standard_normal((4, 3))
    shared = score_stability(data, new, queries, mu=1.0, sigma=0.5)
    own = score_stability(
        data, np.tile(new, (9, 1)), np.tile(queries, (9, 1, 1)), mu=1.0, sigma=0.5
    )
    np.testing.assert_allclose(own, shared, rtol=1e-12)


@pytest.mark.parametrize("sigma", [1e-12, 1e-3, 1.0, 1e12])
def test_one_point_is_replaced_outright(sigma):
    data, new = np.array([[1.0, 2.0]]), np.array([4.0, 6.0])
    found = score_stability(data, new, [[9.0, 9.0], [1e5, 0.0]], mu=0.5, sigma=sigma)
    np.testing.assert_allclose(found, (0.5 / sigma**2) ** 2 * 25.0, rtol=1e-14)


def test_a_dominating_point_leaves_its_neighbours_intact():
    # At q = 0 the points 1 and 1.01 have weights near exp(-800) beside the point 0: flushed to
    # nothing unless the leave-one-out sum is scaled by itself.
    data = np.array([[0.0], [1.0], [1.01]])
    sigma = 0.025
    found = score_stability(data, [50.0], [[0.0]], mu=1.0, sigma=sigma)
    odds = np.exp(-(1.01**2 - 1.0) / (2 * sigma**2))
    mean = (1.0 + 1.01 * odds) / (1.0 + odds)
    np.testing.assert_allclose(found[0], (mean / sigma**2) ** 2, rtol=1e-11)
    assert (found[1:] == 0.0).all()


@pytest.mark.parametrize("mode", ["shared", "own"])
def test_competing_points_a_million_noise_scales_away(mode):
    # Weights of -1 and 1 at q = 0.3 sigma^2 are exp(-0.3) and exp(0.3), the difference of two
    # exponents of 5e11: float64 distances would keep four digits of it.
    sigma = 1e-6
    data, new, query = np.array([[-1.0], [1.0], [5.0]]), np.array([1.0]), np.array([0.3 * sigma**2])
    lead = (3, 1) if mode == "own" else (1,)
    value, radius = score_stability(
        data,
        np.tile(new, (3, 1)) if mode == "own" else new,
        np.broadcast_to(query, (*lead, 1)),
        mu=1.0,
        sigma=sigma,
        return_radius=True,
    )
    up, down = np.exp(0.3), np.exp(-0.3)
    doubled = (2.0 * up - down) / (2.0 * up + down)
    np.testing.assert_allclose(
        value, [((np.tanh(0.3) - 1.0) / sigma**2) ** 2, 0.0,
                ((np.tanh(0.3) - doubled) / sigma**2) ** 2], rtol=1e-12,
    )  # fmt: skip
    assert (radius <= 1e-10 * value.max()).all()


def test_far_replacement_takes_over_only_where_it_is_near():
    data = np.array([[0.0], [1.0]])
    near = score_stability(data, [1e6], [[1e6]], mu=1.0, sigma=1.0)
    np.testing.assert_allclose(near, (1e6 - np.array([1.0, 1.0])) ** 2, rtol=1e-12)
    # Replaced by a point a billion away the other one is left alone: s^i is its score.
    away = score_stability(data, [1e9], [[0.0]], mu=1.0, sigma=1.0)
    p = 1.0 / (1.0 + np.exp(-0.5))
    np.testing.assert_allclose(away, [p**2, (1.0 - p) ** 2], rtol=1e-12)


def test_two_points_match_the_hyperbolic_tangent():
    # Data +a, -a; replacing -a by a leaves all the mass at a.
    queries = np.linspace(-2.0, 2.0, 9)[:, None]
    mu, sigma, a = 0.7, 0.9, 1.3
    found = score_stability([[a], [-a]], [a], queries, mu=mu, sigma=sigma)
    moved = mu / sigma**2 * (a - a * np.tanh(mu * a * queries / sigma**2))
    np.testing.assert_allclose(found, [0.0, np.mean(moved**2)], rtol=1e-12)


def test_isometric_embedding_and_scaling_change_nothing():
    rng = np.random.default_rng(7)
    data, new, queries = (rng.standard_normal(s) for s in ((40, 3), (3,), (30, 3)))
    basis = np.linalg.qr(rng.standard_normal((20, 20)))[0]
    away = basis[:, 3:] @ rng.standard_normal((17, 30))
    flat = score_stability(data, new, queries, mu=0.9, sigma=0.4)
    high = score_stability(
        data @ basis[:, :3].T, basis[:, :3] @ new, queries @ basis[:, :3].T + away.T,
        mu=0.9, sigma=0.4,
    )  # fmt: skip
    np.testing.assert_allclose(high, flat, rtol=1e-9, atol=1e-13 * flat.max())
    scaled = score_stability(8 * data, 8 * new, 8 * queries, mu=0.9, sigma=8 * 0.4)
    np.testing.assert_array_equal(64 * scaled, flat)


def test_radius_does_not_change_the_value_and_mu_zero_is_exactly_zero():
    rng = np.random.default_rng(8)
    data, new, queries = (rng.standard_normal(s) for s in ((30, 2), (2,), (70, 2)))
    value, radius = score_stability(data, new, queries, mu=1.0, sigma=0.2, return_radius=True)
    np.testing.assert_array_equal(value, score_stability(data, new, queries, mu=1.0, sigma=0.2))
    assert (radius > 0).all()
    value, radius = score_stability(data, new, queries, mu=0.0, sigma=0.2, return_radius=True)
    assert (value == 0).all()
    assert (radius == 0).all()


THREADS = """
import hashlib, numba, numpy as np
from numerics import stability
rng = np.random.default_rng(3)
data = rng.standard_normal((300, 3))
new, queries = rng.standard_normal(3), rng.standard_normal((700, 3))
own_new, own_queries = rng.standard_normal((300, 3)), rng.standard_normal((300, 20, 3))
def digest():
    parts = [*stability.score_stability(data, new, queries, mu=.9, sigma=.3, return_radius=True),
             *stability.score_stability(data, own_new, own_queries, mu=.9, sigma=.3,
                                        return_radius=True)]
    return hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()
assert queries.size * 300 > stability._SMALL and own_queries.size * 300 > 8 * stability._SMALL
for threads in (1, 2, 4):
    numba.set_num_threads(threads)
    print(digest())
stability._SMALL = 10**12
print(digest())
"""


def test_same_bits_for_any_number_of_threads():
    root = Path(stability.__file__).parent.parent
    environment = {**os.environ, "NUMBA_NUM_THREADS": "4", "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, "-c", THREADS], capture_output=True, text=True, check=True,
        env=environment, cwd=root, timeout=120,
    )  # fmt: skip
    digests = run.stdout.split()
    assert len(digests) == 4
    assert len(set(digests)) == 1


POINTS = np.zeros((3, 2))
BAD = [
    ({"data": [[1.0, np.nan]]}, r"data\[0, 1\] = nan"),
    ({"data": [1.0, 2.0]}, r"data has shape \(2,\)"),
    ({"data": np.zeros((0, 2))}, r"data has shape \(0, 2\)"),
    ({"data": np.zeros((2, 0))}, r"data has shape \(2, 0\)"),
    ({"data": [["a", "b"]]}, "data has dtype"),
    ({"data": [[1.0], [1.0, 2.0]]}, "data is ragged"),
    ({"data": POINTS * 1j}, "data has dtype complex128"),
    ({"replacement": 1.0}, r"replacement has shape \(\)"),
    ({"replacement": [1.0]}, "replacement has dimension 1"),
    ({"replacement": [np.inf, 0.0]}, r"replacement\[0\] = inf"),
    ({"replacement": np.zeros((2, 2)), "queries": np.zeros((3, 1, 2))}, "replacement has 2 rows"),
    ({"replacement": np.zeros((3, 2)), "queries": np.zeros((2, 1, 2))}, "queries has 2 rows"),
    ({"replacement": np.zeros((3, 2))}, r"queries has shape \(1, 2\)"),
    ({"queries": [[1.0, 2.0, 3.0]]}, "queries has dimension 3"),
    ({"queries": [[-np.inf, 0.0]]}, r"queries\[0, 0\] = -inf"),
    ({"queries": np.zeros((0, 2))}, r"queries has shape \(0, 2\)"),
    ({"mu": -0.1}, "mu = -0.1"),
    ({"mu": np.nan}, "mu = nan"),
    ({"mu": "1"}, "mu = '1'"),
    ({"sigma": 0.0}, "sigma = 0.0"),
    ({"sigma": -1.0}, "sigma = -1.0"),
    ({"sigma": np.inf}, "sigma = inf"),
    ({"sigma": None}, "sigma = None"),
    ({"sigma": [1.0]}, r"sigma = \[1.0\]"),
]
TOO_LARGE = [
    ({"data": POINTS + 1e150}, "stay within 1e"),
    ({"queries": [[1e300, 0.0]], "sigma": 1e-300}, "stay within 1e"),
    (
        {"replacement": [1e-60, 0.0], "queries": [[1e-60, 0.0]], "sigma": 1e-150},
        "exceeds the float64 range",
    ),
]


@pytest.mark.parametrize(
    ("kernel", "change", "message"),
    [(score_stability, *case) for case in BAD + TOO_LARGE]
    + [(reference_stability.score_stability, *case) for case in BAD],
)
def test_bad_input_is_refused_on_one_line(kernel, change, message):
    good = {"data": POINTS, "replacement": [1.0, 1.0], "queries": [[0.0, 0.0]], "mu": 1.0}
    arguments = {**good, "sigma": 1.0, **change}
    with pytest.raises(ValueError, match=message) as caught:
        kernel(**arguments)
    assert "\n" not in str(caught.value)


def test_reference_claims_no_radius():
    with pytest.raises(ValueError, match="no roundoff bound"):
        reference_stability.score_stability(
            [[0.0]], [1.0], [[0.0]], mu=1.0, sigma=1.0, return_radius=True
        )
