"""The numbers of coupled chains of SGD, found again by brute force, by simulation and by loops.

False alarm: every interval of a sampled mean fails with probability at most 2e-11 (see
``proofs_check.sampling.mean_interval``; for distances that are not bounded, as the sample grows).
There are fewer than 60, so a correct program fails here with probability at most 2e-9; seeds are
fixed.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Sequence
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb
from scipy.linalg import eigvalsh_tridiagonal
from scipy.stats import norm

from numerics.chain_models import GaussianMean, TwoWells
from numerics.chain_user_model import UserModel
from numerics.chains import run_pairs
from numerics.clipped_step import ClippedStep
from numerics.noise_levels import NoiseLevels
from numerics.reflection_coupling import contraction_range
from numerics.score_changes import score_changes
from proofs_check.contraction import Contraction, contraction_at
from proofs_check.coupling_columns import coupling_columns, crossing
from proofs_check.drift_quantities import constants_of, drift_of
from proofs_check.enclosure import enclose, exact_ball
from proofs_check.measurement import measure, sides
from proofs_check.number import Method, Number
from proofs_check.point import Point, at_time, timeless
from proofs_check.sampling import mean_interval, noise_level
from proofs_check.sgd_quantities import saturated_distance
from theory import cases, claims
from theory.cases.two_wells import LARGEST_BEND, LARGEST_SLOPE
from theory.operators import GeometricSum

Q = sp.Rational
RATIO, COUNT = sp.symbols("q K")
ONE_LEVEL = NoiseLevels([1.0], [1.0], [1.0])


def floats_of(point: Point) -> dict[str, float]:
    return {name: float(value) for name, value in point.values}


def fraction(value: sp.Expr) -> Fraction:
    return Fraction(int(sp.Rational(value).p), int(sp.Rational(value).q))


def covers(number: Number, exact: Fraction) -> bool:
    """Whether an enclosure holds a rational; its error counts in full."""
    return abs(Fraction(number.value) - exact) <= Fraction(number.error)


def ends(ball: arb) -> tuple[Fraction, Fraction]:
    """Return the ends of a finite ball, exactly."""
    middle, radius = (
        Fraction(int(part)) * Fraction(2) ** int(power)
        for part, power in (ball.mid().man_exp(), ball.rad().man_exp())
    )
    return middle - radius, middle + radius


def agrees(values: np.ndarray, number: Number, span: float | None, relative: float) -> bool:
    """Whether a number lies in the interval of a sampled mean, and that says something."""
    mean, width = mean_interval(values, span)
    assert width + number.error < relative * number.value
    return abs(mean - number.value) <= width + number.error


# --- geometric sums -------------------------------------------------------------------------------


def loop_sum(ratio: Fraction, count: int) -> Fraction:
    total, power = Fraction(0), Fraction(1)
    for _ in range(count):
        total, power = total + power, power * ratio
    return total


@pytest.mark.parametrize("ratio", ["0", "1/3", "1", "9/8", "7", "-1/2"])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 64, 65, 200])
def test_a_geometric_sum_is_the_loop(ratio: str, count: int) -> None:
    exact = loop_sum(Fraction(ratio), count)
    made = GeometricSum(Q(ratio), sp.Integer(count))
    if count <= 64:
        assert made == Q(exact.numerator, exact.denominator)
    low, high = ends(enclose(made, precision=256))
    assert low <= exact <= high
    at = {RATIO: exact_ball(Q(ratio)), COUNT: arb(count)}
    low, high = ends(enclose(GeometricSum(RATIO, COUNT), at))
    assert low <= exact <= high
    # the ratio is a ball of 53 bits, and each of the terms takes its share of that error: no more
    # than K times it, where nothing cancels
    if not ratio.startswith("-"):
        assert high - low <= (count + 8) * exact / 2**50


@pytest.mark.parametrize("ratio", ["1001/1000", "99999/100000", "1", "100001/100000", "1/2"])
@pytest.mark.parametrize("count", [10**5, 99_999, 2**17 - 1])
def test_long_sums_are_enclosed(ratio: str, count: int) -> None:
    ball = enclose(GeometricSum(Q(ratio), sp.Integer(count)), precision=96)
    with mpmath.workdps(80):
        q = mpmath.mpf(int(Q(ratio).p)) / int(Q(ratio).q)
        truth = mpmath.mpf(count) if q == 1 else (q**count - 1) / (q - 1)
        low, high = (mpmath.mpf(end.numerator) / end.denominator for end in ends(ball))
        # 80 digits, of which q**count and q - 1 lose ten, are far finer than 96 bits
        assert low - truth / 10**60 <= truth <= high + truth / 10**60
        # a rounding of 96 bits at each of up to 2^17 terms
        assert (high - low) / truth < mpmath.mpf(2) ** -75


def test_a_wide_ratio_keeps_both_ends() -> None:
    for count in (1, 3, 50):
        wide = enclose(GeometricSum(RATIO, COUNT), {RATIO: arb(1, 0.25), COUNT: arb(count)})
        for end in (Fraction(3, 4), Fraction(5, 4), Fraction(1)):
            low, high = ends(wide)
            assert low <= loop_sum(end, count) <= high


@pytest.mark.parametrize("count", [arb(2.5), arb(-1), arb(3, 1), arb(2.5, 0.25), arb("nan")])
def test_a_count_that_is_no_integer_gives_no_number(count: arb) -> None:
    assert not enclose(GeometricSum(RATIO, COUNT), {RATIO: arb(1), COUNT: count}).is_finite()


def test_a_count_known_to_be_one_integer_is_that_integer() -> None:
    assert enclose(GeometricSum(RATIO, COUNT), {RATIO: arb(2), COUNT: arb(3, 0.25)}) == 7
    halves = GeometricSum(Q(1, 2), Q(5, 2))
    assert isinstance(halves, GeometricSum)
    assert not enclose(halves).is_finite()


def test_geometric_sums_are_printed() -> None:
    assert str(GeometricSum(RATIO, COUNT)) == "Σ_(j<K) q^j"
    assert str(GeometricSum(RATIO + 1, 3)) == "Σ_(j<3) (q + 1)^j"
    assert sp.latex(GeometricSum(RATIO, COUNT)) == r"\sum_{j<K}q^j"
    assert sp.latex(GeometricSum(RATIO + 1, COUNT)) == r"\sum_{j<K}\left(q + 1\right)^j"
    assert GeometricSum(RATIO, COUNT).subs({RATIO: 1, COUNT: 5}) == 5
    assert GeometricSum(RATIO, COUNT).subs({RATIO: Q(1, 2), COUNT: 3}) == Q(7, 4)


# --- SGD that learns a mean -----------------------------------------------------------------------


def clipped(value: Fraction, bound: Fraction | None) -> Fraction:
    return value if bound is None else max(-bound, min(bound, value))


def follow(
    data: Sequence[Fraction],
    batches: Sequence[Sequence[int]],
    *,
    eta: Fraction,
    decay: Fraction,
    slope: Fraction,
    clip: Fraction | None,
    per_sample: bool,
) -> tuple[Fraction, Fraction]:
    """Return the last parameter and the largest gradient of one chain, in rationals."""
    theta, largest = Fraction(0), Fraction(0)
    for batch in batches:
        each = [slope * (theta - data[i]) for i in batch]
        largest = max(largest, *map(abs, each))
        if per_sample:
            each = [clipped(g, clip) for g in each]
        mean = sum(each, Fraction(0)) / len(batch)
        theta = (1 - eta * decay) * theta - eta * (mean if per_sample else clipped(mean, clip))
    return theta, largest


def mean_sgd_moments(
    values: dict[str, sp.Expr], clip: Fraction | None, per_sample: bool
) -> tuple[Fraction, Fraction, Fraction]:
    """Return E|Δ|, E|Δ|² and the largest gradient, over all data and all sequences of batches."""
    size, batch, steps = (int(values[name]) for name in ("N", "B", "K"))
    a, slope = fraction(values["a"]), fraction(values["L"])
    rule = {
        "eta": fraction(values["eta"]), "decay": fraction(values["lambda"]), "slope": slope,
        "clip": clip, "per_sample": per_sample,
    }  # fmt: skip
    first = second = largest = Fraction(0)
    count = 0
    for points in itertools.product((-a, a), repeat=size + 1):
        mine, other = points[:size], (points[size], *points[1:size])
        choices = tuple(itertools.combinations(range(size), batch))
        for batches in itertools.product(choices, repeat=steps):
            one, reached = follow(mine, batches, **rule)
            two, _ = follow(other, batches, **rule)
            first += abs(one - two)
            second += (one - two) ** 2
            largest = max(largest, reached)
            count += 1
    return first / count, second / count, largest


SMALL = [
    {"N": 1, "B": 1, "K": 1},
    {"N": 1, "B": 1, "K": 3, "eta": "1/2", "L": 1, "C": 4, "a": "3/2"},
    {"N": 2, "B": 1, "K": 3, "eta": "1/2", "L": 1, "C": 2},
    {"N": 2, "B": 2, "K": 3, "eta": "2/5", "lambda": "1/3", "L": "5/3", "C": 5},
    {"N": 3, "B": 1, "K": 3, "eta": "1/2", "lambda": "1/4", "L": "7/4", "C": "7/2"},
    {"N": 3, "B": 2, "K": 3, "eta": "1/4", "lambda": "1/2", "L": "7/2", "C": 7, "a": 1},
    {"N": 3, "B": 2, "K": 2, "eta": "1/3", "lambda": 2, "L": 1, "C": 3, "a": "2/7"},
]


@pytest.mark.parametrize("given", SMALL)
def test_the_mean_is_learnt_as_brute_force_learns_it(given: dict[str, int | str]) -> None:
    point = timeless("mean-sgd", **given)
    values = dict(point.values)
    forms = cases.get("mean-sgd").quantities(values)
    distance, square, largest = mean_sgd_moments(values, fraction(values["C"]), False)
    assert fraction(forms["synchronous_distance"]) == distance
    assert fraction(forms["synchronous_square"]) == square
    # by its definition Λ² is half the slope of the gradient, 2 ∫ μ²/σ⁴ dτ
    assert fraction(forms["synchronous_stability"]) == fraction(values["L"]) / 2 * square
    numbers = measure(point, ["synchronous_distance", "synchronous_square"])
    assert covers(numbers["synchronous_distance"], distance)
    assert covers(numbers["synchronous_square"], square)
    assert all(n.method is Method.ENCLOSURE and n.error < 1e-15 for n in numbers.values())
    # no gradient is ever clipped, whole or point by point, and 2La is their bound
    assert largest <= 2 * fraction(values["L"]) * fraction(values["a"]) <= fraction(values["C"])
    for per_sample in (False, True):
        assert mean_sgd_moments(values, None, per_sample)[:2] == (distance, square)
    # gradients are as large as La from the start, so that a smaller clip changes the numbers
    below = fraction(values["L"]) * fraction(values["a"]) / 2
    assert mean_sgd_moments(values, below, True)[0] != distance


@pytest.mark.parametrize("size", [1, 5])
def test_full_batches_leave_nothing_to_chance(size: int) -> None:
    point = timeless("mean-sgd", N=size, B=size, K=40, L="3/4", C=3, a="3/2")
    values = {name: fraction(value) for name, value in point.values}
    rule = {
        "eta": values["eta"], "decay": values["lambda"], "slope": values["L"], "clip": None,
        "per_sample": False,
    }  # fmt: skip
    everyone = [range(size)] * 40
    kept = [values["a"]] * (size - 1)
    ends = [follow([x, *kept], everyone, **rule)[0] for x in (values["a"], -values["a"])]
    apart = abs(ends[0] - ends[1])  # the replaced point is another one with probability 1/2
    numbers = measure(point, ["synchronous_distance", "synchronous_square"])
    assert covers(numbers["synchronous_distance"], apart / 2)
    assert covers(numbers["synchronous_square"], apart**2 / 2)


def signs(scale: float) -> Callable[[np.random.Generator, tuple[int, int]], np.ndarray]:
    return lambda rng, shape: scale * (2.0 * rng.integers(0, 2, size=(*shape, 1)) - 1.0)


def test_chains_that_learn_a_mean_have_the_closed_forms() -> None:
    given = {"N": 6, "B": 2, "K": 12, "eta": "1/2", "lambda": "1/4", "L": "1/2", "C": "3/2"}
    point = timeless("mean-sgd", a="3/2", **given)
    numbers = measure(
        point, ["synchronous_distance", "synchronous_square", "synchronous_stability"]
    )
    # 2 μ²/σ⁴ = 1/2 at both levels: whichever is drawn, the gradient has the slope L
    levels = NoiseLevels([1.0, 0.5], [math.sqrt(2.0), 1.0], [0.25, 0.75])
    changed = {"clip": 1.5, "clipping": "whole"}

    def run(**more: object) -> object:
        return run_pairs(
            GaussianMean(0.0), signs(1.5), levels, size=6, batch=2, steps=12, step_size=0.5,
            weight_decay=0.25, pairs=100_000, rng=11, **{**changed, **more},
        )  # fmt: skip

    pairs = run()
    distance = pairs.distance[:, -1]
    assert agrees(distance, numbers["synchronous_distance"], 3.0, 0.07)
    assert agrees(distance**2, numbers["synchronous_square"], 9.0, 0.12)
    stability = score_changes(pairs, GaussianMean(0.0), levels).values[:, -1]
    assert agrees(stability, numbers["synchronous_stability"], 9.0 / 4, 0.12)
    # the same bits without a clip: it never acts; at half the size it does
    assert np.array_equal(run(clip=None).first, pairs.first)
    assert not np.array_equal(run(clip=0.6).first, pairs.first)
    # rounding apart, point by point as well
    np.testing.assert_allclose(run(clipping="per-sample").second, pairs.second, atol=1e-12)


# --- the worst pair -------------------------------------------------------------------------------


def one_and_minus_one(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """x_1 = 1, x̃ = −1, and 0 for all else."""
    points = np.zeros((*shape, 1))
    points[:, 0], points[:, -1] = 1.0, -1.0
    return points


def worst_model(slope: float) -> UserModel:
    """Gradients −Lθ on the common points, and beyond any clip where the point is ±1."""
    return UserModel(
        lambda theta, x, mu, sigma: theta,
        lambda theta, x0, z, mu, sigma: np.where(x0 == 0.0, -slope * theta, -1e9 * x0),
        parameters=1,
        dimension=1,
        compiled=False,
    )


class _Interacting:
    """Two chains whose gradients differ by min(Lr, 2C) at whatever place they are.

    The gradient of the first is 0, that of the second pushes it away from where the first was:
    ``run_pairs`` asks for the first chain, then for the second. The clip is 2C.
    """

    def __init__(self, slope: float) -> None:
        self.slope = slope
        self.first: np.ndarray | None = None

    def __call__(
        self, theta: np.ndarray, x0: np.ndarray, z: np.ndarray, mu: np.ndarray, sigma: np.ndarray
    ) -> np.ndarray:
        if self.first is None:
            self.first = theta.copy()
            return np.zeros_like(theta)
        apart, self.first = self.first - theta, None
        return np.where(x0 == 0.0, self.slope * apart, 1e9 * np.where(apart < 0.0, -1.0, 1.0))


def interacting_model(slope: float) -> UserModel:
    return UserModel(
        lambda theta, x, mu, sigma: theta,
        _Interacting(slope),
        parameters=1,
        dimension=1,
        compiled=False,
    )


def worst_pairs(point: Point, model: UserModel, **changed: object) -> np.ndarray:
    values = floats_of(point)
    arguments = {
        "size": int(values["N"]), "batch": int(values["B"]), "steps": int(values["K"]),
        "step_size": values["eta"], "weight_decay": values["lambda"], "clip": values["C"],
        "noise": values.get("noise", 0.0), "coupling": "reflection-maximal", "pairs": 20_000,
        "rng": 5,
    }  # fmt: skip
    run = run_pairs(model, one_and_minus_one, ONE_LEVEL, **arguments | changed)
    return run.distance[:, -1]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"N": 6, "B": 2, "K": 8, "eta": "1/4", "L": 1},
        {"N": 40, "B": 8, "K": 30, "eta": "1/5", "lambda": "1/2", "L": 3, "C": "1/2"},
        {"N": 4, "K": 12, "L": 0},
    ],
)
def test_the_worst_pair_is_realised_by_sgd(given: dict[str, int | str]) -> None:
    point = timeless("worst-pair-synchronous", **given)
    values = floats_of(point)
    diameter = 2 * values["C"] / values["lambda"]
    distance = worst_pairs(point, worst_model(values["L"]), coupling="synchronous")
    numbers = measure(point, ["synchronous_distance", "synchronous_square"])
    assert agrees(distance, numbers["synchronous_distance"], diameter, 0.1)
    assert agrees(distance**2, numbers["synchronous_square"], diameter**2, 0.15)


def test_the_worst_pair_of_full_batches_is_no_matter_of_chance() -> None:
    for steps in (1, 7, 40):  # every sequence of batches, and then a grid
        point = timeless("worst-pair-synchronous", N=3, B=3, K=steps, L=5)
        distance = worst_pairs(point, worst_model(5.0), coupling="synchronous", pairs=3)
        number = measure(point, ["synchronous_distance"])["synchronous_distance"]
        # a float's rounding in each of the steps
        assert np.all(np.abs(distance - number.value) <= number.error + steps * 2.0**-50)


NOISY = [
    {"N": 6, "B": 2, "K": 20, "eta": "1/4", "L": 1, "noise": 3},
    {"N": 4, "K": 15, "eta": "1/5", "lambda": "1/2", "L": 4, "C": "1/2", "noise": 2},
    {"N": 3, "B": 3, "K": 9, "eta": "1/2", "L": 2, "noise": 1},
]


@pytest.mark.parametrize("given", NOISY)
def test_the_noisy_worst_pair_is_run_by_coupled_chains(given: dict[str, int | str]) -> None:
    point = timeless("reflection-recursion-unprojected", **given)
    values = floats_of(point)
    distance = worst_pairs(
        point, interacting_model(values["L"]), clip=2 * values["C"], pairs=60_000
    )
    numbers = measure(point, ["reflection_distance", "reflection_square"])
    assert agrees(distance, numbers["reflection_distance"], None, 0.15)
    assert agrees(distance**2, numbers["reflection_square"], None, 0.3)


def simulated_distances(point: Point, number: int, seed: int) -> np.ndarray:
    """Follow the worst distance itself, capped at 2C/λ, by acceptance and rejection."""
    v = floats_of(point)
    rng = np.random.default_rng(seed)
    deviation, kept = v["eta"] * v["noise"], 1 - v["eta"] * v["lambda"]
    r = np.zeros(number)
    for _ in range(int(v["K"])):
        swapped = rng.random(number) < v["B"] / v["N"]
        push = np.where(swapped, 2 * v["C"], np.minimum(v["L"] * r, 2 * v["C"]))
        h = kept * r + v["eta"] * push
        r = np.minimum(reflected(h, deviation, rng), 2 * v["C"] / v["lambda"])
    return r


def reflected(h: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Return distances after reflection–maximal coupling of normals whose means are h apart."""
    z = rng.standard_normal(h.shape)
    log_ratio = (z**2 - (z + h / deviation) ** 2) / 2  # of the densities where both would be
    met = np.log1p(-rng.random(h.shape)) < log_ratio
    return np.where(met, 0.0, np.abs(h + 2 * deviation * z))


@pytest.mark.parametrize("given", NOISY)
def test_the_projected_worst_pair_is_the_capped_distance(given: dict[str, int | str]) -> None:
    point = timeless("reflection-recursion", **given)
    values = floats_of(point)
    diameter = 2 * values["C"] / values["lambda"]
    distance = simulated_distances(point, 100_000, 7)
    numbers = measure(point, ["reflection_distance", "reflection_square"])
    assert agrees(distance, numbers["reflection_distance"], diameter, 0.1)
    assert agrees(distance**2, numbers["reflection_square"], diameter**2, 0.12)


@pytest.mark.parametrize("projected", [False, True])
def test_sgd_itself_is_the_worst_pair_where_the_place_does_not_matter(projected: bool) -> None:
    """In the first step both are at ±θ; with L = 0, or every batch replaced, it never matters."""
    case = "reflection-recursion" if projected else "reflection-recursion-unprojected"
    settings = [{"N": 3, "B": 2, "K": 1, "eta": "1/2"}]
    if not projected:
        settings += [
            {"N": 4, "B": 1, "K": 12, "L": 0},
            {"N": 2, "B": 2, "K": 9, "eta": "1/4", "L": 3},
        ]
    for given in settings:
        point = timeless(case, noise=2, **given)
        values = floats_of(point)
        radius = values["C"] / values["lambda"] if projected else None
        distance = worst_pairs(point, worst_model(values["L"]), projection_radius=radius)
        numbers = measure(point, ["reflection_distance", "reflection_square"])
        span = None if radius is None else 2 * radius
        assert agrees(distance, numbers["reflection_distance"], span, 0.2)
        assert agrees(distance**2, numbers["reflection_square"], span and span**2, 0.4)


@pytest.mark.parametrize("projected", [False, True])
def test_sgd_elsewhere_stays_below_the_worst_pair(projected: bool) -> None:
    """Chains that have met wander off 0 together, and −Clip(Lθ) then parts them by less."""
    case = "reflection-recursion" if projected else "reflection-recursion-unprojected"
    point = timeless(case)
    radius = 1.0 if projected else None
    distance = worst_pairs(point, worst_model(2.0), projection_radius=radius)
    number = measure(point, ["reflection_distance"])["reflection_distance"]
    mean, width = mean_interval(distance, 2.0 if projected else None)
    assert mean + width < number.value - number.error
    assert mean - width > 0.7 * number.value


# --- the saturated recursion ----------------------------------------------------------------------


def saturated_by_steps(point: Point, number: Callable[[sp.Expr], object]) -> tuple[object, bool]:
    """Return x_K by the recursion, and whether it crossed the kink on the way."""
    values = dict(point.values)
    eta, clip, slope = (number(values[name]) for name in ("eta", "C", "L"))
    kept, share = 1 - eta * number(values["lambda"]), number(values["B"] / values["N"])
    x = 0 * eta
    for _ in range(int(values["K"])):
        x = kept * x + (1 - share) * eta * min(slope * x, 2 * clip) + 2 * eta * clip * share
    return x, slope * x > 2 * clip


def random_settings(count: int, seed: int) -> list[dict[str, int | str]]:
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        size = rng.randint(1, 40)
        decay = rng.choice(["1/7", "1/2", "1", "3"])
        found.append(
            {
                "N": size, "B": rng.randint(1, size), "K": rng.choice([1, 2, 5, 30, 400]),
                "lambda": decay, "L": rng.choice(["0", "1/9", "1/2", "1", "3", "25"]),
                "eta": str(Q(rng.randint(1, 20), 20) / Q(decay)),
                "C": rng.choice(["1/10", "1", "13/3"]),
            }
        )  # fmt: skip
    return found


def test_the_saturated_distance_is_its_recursion() -> None:
    beyond = 0
    for given in random_settings(120, 3):
        point = timeless("worst-pair-synchronous", **given)
        found = saturated_distance(point)
        x, crossed = saturated_by_steps(point, float)
        beyond += crossed
        # only sums and products of numbers >= 0: a few roundings per step, relative to x
        assert abs(found.value - x) <= found.error + 8 * (given["K"] + 8) * 2.0**-53 * x
        assert found.error <= 1e-15 * found.value
        if given["K"] <= 5:
            assert covers(found, saturated_by_steps(point, fraction)[0])
    assert 20 <= beyond <= 100


@pytest.mark.parametrize(
    ("given", "exact"),
    [
        ({"K": 1, "N": 8, "B": 2, "C": 3, "eta": "1/4"}, "3/8"),
        # L x_2 = 2C: on the kink, and then beyond it
        ({"K": 2, "N": 2, "eta": "1/2", "L": 2}, "1"),
        ({"K": 3, "N": 2, "eta": "1/2", "L": 2}, "3/2"),
        ({"K": 4, "N": 2, "eta": "1/2", "L": 2}, "7/4"),
        # the same with thirds, which no ball holds exactly
        ({"K": 2, "N": 2, "eta": "1/2", "L": 2, "C": "1/3"}, "1/3"),
        ({"K": 3, "N": 2, "eta": "1/2", "L": 2, "C": "1/3"}, "1/2"),
        # L = 0: 2ηCp Σ (1 − ηλ)^j
        ({"K": 3, "N": 4, "eta": "1/2", "L": 0}, "7/16"),
    ],
)
def test_the_saturated_distance_at_the_kink(given: dict[str, int | str], exact: str) -> None:
    point = timeless("worst-pair-synchronous", **given)
    assert saturated_by_steps(point, fraction)[0] == Fraction(exact)
    found = saturated_distance(point)
    assert covers(found, Fraction(exact))
    assert found.error < 1e-16


@pytest.mark.parametrize(
    "given",
    [
        {"N": 100, "eta": "1/100000", "lambda": "1/50", "L": "3/100"},
        {"N": 1000, "eta": "1/100000", "L": "1/2"},
        {"N": 7, "B": 7, "eta": "1/1000000"},
    ],
)
def test_a_million_steps_of_the_saturated_distance(given: dict[str, int | str]) -> None:
    point = timeless("worst-pair-synchronous", K=10**6, **given)
    x, _ = saturated_by_steps(point, float)
    found = saturated_distance(point)
    # a few roundings in each of a million steps
    assert abs(found.value - x) <= found.error + 1e-9 * x
    assert found.error <= 1e-15 * found.value


def test_the_saturated_distance_ends_at_the_diameter() -> None:
    point = timeless("worst-pair-synchronous", K=10**6, C=3, L=4, **{"lambda": "1/2"})
    found = saturated_distance(point)
    assert abs(found.value - 12.0) <= found.error < 1e-14


# --- contraction ----------------------------------------------------------------------------------

SETTINGS: dict[str, dict[str, int | str]] = {
    "default": {},
    "steep": {"N": 20, "B": 4, "K": 10, "eta": "1/2", "L": 10, "C": 2, "noise": 4},
    "flat": {"eta": "1/4", "L": "1/2"},
    "still": {"eta": "1/4", "L": "1/2", "noise": "1/2"},
}


@pytest.fixture(scope="module", params=SETTINGS)
def contraction(request: pytest.FixtureRequest) -> Contraction:
    return contraction_at(timeless("reflection-recursion", **SETTINGS[request.param]))


def float_step(found: Contraction) -> ClippedStep:
    step = found.step
    return ClippedStep(
        float(step.step_size), float(step.weight_decay), float(step.lipschitz), float(step.clip),
        float(step.noise),
    )  # fmt: skip


def test_f_and_its_mean_are_those_of_the_floats(contraction: Contraction) -> None:
    step, f = float_step(contraction), contraction.function
    diameter = float(contraction.diameter)
    for r in np.array([1e-6, 0.01, 0.3, 0.5, 0.77, 1.0]) * diameter:
        r = float(r)
        # the floats have no subtractions: a rounding for each of 120 knots, and some in erf
        assert float(contraction.value(arb(r))) == pytest.approx(
            float(f(r)) / f.slope_at_zero, rel=1e-13
        )
        assert float(contraction.next_value(arb(r))) == pytest.approx(
            float(f.after(step, r)) / f.slope_at_zero, rel=1e-12
        )
    tiny = 1e-9 * f.knots[0]
    assert float(contraction.value(arb(tiny))) == pytest.approx(tiny, rel=1e-14)
    assert contraction.value(arb(2 * diameter)).overlaps(contraction.value(arb(diameter)))


def test_the_mean_of_f_is_that_of_the_coupling(contraction: Contraction) -> None:
    step, f = float_step(contraction), contraction.function
    rng = np.random.default_rng(17)
    diameter = float(contraction.diameter)
    top = float(f(diameter)) / f.slope_at_zero
    for r in (0.1 * diameter, diameter):
        h = np.full(200_000, step.displacement(r))
        values = f(reflected(h, step.step_size * step.noise, rng)) / f.slope_at_zero
        mean, width = mean_interval(values, top)
        exact = float(contraction.next_value(arb(r)))
        assert width < 0.08 * exact
        assert abs(mean - exact) <= width


def test_the_mean_of_f_rises_no_faster_than_its_slope_where_chains_meet(
    contraction: Contraction,
) -> None:
    step, f = float_step(contraction), contraction.function
    found = float(contraction.step_slope)

    def mean(h: float) -> float:
        """E F(h + W) by the trapezoidal rule in W, F the odd extension of f."""
        w = np.linspace(-9, 9, 20_001) * step.noise_width
        density = np.exp(-((w / step.noise_width) ** 2) / 2)
        return float(density @ (np.sign(h + w) * f(np.abs(h + w)))) / float(density.sum())

    places = np.linspace(0.0, 2 * float(contraction.diameter), 41)
    means = np.array([mean(float(h)) for h in places]) / f.slope_at_zero
    # a mean over [-9, 9] sds at 20,001 points: far closer than a millionth, also at f's kinks
    assert np.all(np.diff(means) <= found * np.diff(places) + 1e-6)
    # E F'(W) = E F(W) W / Var W, by parts; f has kinks, which cost the rule a millionth at most
    v = np.linspace(0, 9, 20_001)
    by_parts = float((np.exp(-(v**2) / 2) * v) @ f(v * step.noise_width)) * (v[1] - v[0])
    by_parts *= 2 / math.sqrt(2 * math.pi) / step.noise_width / f.slope_at_zero
    assert found == pytest.approx(by_parts, rel=1e-5)
    assert 0 < found < 1


def test_the_certified_rate_is_below_what_floats_see(contraction: Contraction) -> None:
    step, diameter = float_step(contraction), float(contraction.diameter)
    seen = 1 - contraction_range(step, contraction.function, diameter)[1]
    low, high = (
        float(rate)
        for rate in (contraction.certificate.rate_low, contraction.certificate.rate_high)
    )
    # a certificate may lose a 300th of the rate, and floats their rounding
    assert 0.99 * seen <= low <= seen + 1e-12
    assert low <= high <= 1.01 * low


def test_the_rate_is_the_gap_of_the_killed_distance(contraction: Contraction) -> None:
    """The worst distance, killed where the chains meet, survives like (1 − ρ)^k for the best ρ."""
    step, diameter = float_step(contraction), float(contraction.diameter)
    edges = [0.0, *sorted({min(step.kink, diameter), diameter})]
    x, weight = np.polynomial.legendre.leggauss(48)
    halves = np.diff(edges) / 2
    points = np.concatenate([a + h * (1 + x) for a, h in zip(edges, halves, strict=False)])
    weights = np.concatenate([h * weight for h in halves])
    states = np.append(points, diameter)
    width, h = step.noise_width, step.displacement(states)[:, None]

    def density(u: np.ndarray) -> np.ndarray:
        folded = np.exp(-(((u - h) / width) ** 2) / 2) - np.exp(-(((u + h) / width) ** 2) / 2)
        return folded / (width * math.sqrt(2 * math.pi))

    cap = norm.sf((diameter - h) / width) - norm.sf((diameter + h) / width)
    kernel = np.hstack([density(points) * weights, cap])
    gap = 1 - float(np.max(np.abs(np.linalg.eigvals(kernel))))
    low, high = contraction.certificate.rate_low, contraction.certificate.rate_high
    # 48 nodes on either side of the kink resolve normals of this width far below 1e-9
    assert float(low) - 1e-9 <= gap <= float(high) + 1e-9


def test_too_little_noise_is_refused_on_one_line() -> None:
    with pytest.raises(ValueError, match="or a smaller C") as refused:
        contraction_at(timeless("reflection-recursion", noise="1/10"))
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("noise=1/10: no contraction is certified")
    # which is enough: C²/(λ η noise²) is 10/16 there
    assert "take noise = 4," in str(refused.value)
    contraction_at(timeless("reflection-recursion", noise=4))


# --- where the two bounds cross -------------------------------------------------------------------


def test_the_crossing_is_the_first_that_adds_up(contraction: Contraction) -> None:
    step, f = contraction.step, contraction.function
    diameter = float(contraction.diameter)
    rate = float(contraction.certificate.rate_low)
    level = diameter * f.slope_at_zero / float(f(diameter)) / rate
    ratio = 1 + fraction(step.step_size) * (fraction(step.lipschitz) - fraction(step.weight_decay))
    found = crossing(contraction)
    assert (found is None) == (step.noise == Q(1, 2))
    total, power, first = Fraction(0), Fraction(1), None
    for k in range(1, 200):
        total, power = total + power, power * ratio
        # a level in floats decides no closer case; none comes up
        assert abs(float(total) - level) > 1e-9 * level
        if total > level:
            first = k
            break
    assert (found and found.value) == first
    if found is None:
        assert ratio < 1
        assert 1 / float(1 - ratio) < level


@pytest.mark.parametrize("given", [SETTINGS["default"], SETTINGS["steep"]])
def test_the_crossing_is_where_the_bounds_cross(given: dict[str, int | str]) -> None:
    names = ("farghly2026.proposition-11", "farghly2026.proposition-14")
    point = timeless("reflection-recursion", **given)
    first = crossing(contraction_at(point))
    assert first is not None
    order = []
    for steps in (int(first.value) - 1, int(first.value)):
        at = point.with_values(K=sp.Integer(steps))
        columns = dict(coupling_columns(at))
        assert columns["crossing"] == first
        known = measure(at, ("score_sensitivity", "parameter_radius", "contraction_rate",
                             "f_diameter", "gradient_lipschitz"))  # fmt: skip
        eleven, fourteen = (sides(claims.get(name), at, known)[1] for name in names)
        assert columns["proposition_11"] == eleven
        order.append(eleven.value >= fourteen.value)
    assert order == [False, True]


# --- two wells ------------------------------------------------------------------------------------


def test_the_rational_bounds_of_two_wells_hold_and_are_sharp() -> None:
    with mpmath.workdps(40):
        slope = mpmath.findroot(lambda a: a * mpmath.tanh(a) - 1, 1.2)
        assert slope < mpmath.mpf(int(LARGEST_SLOPE.p)) / int(LARGEST_SLOPE.q) < slope + 1e-4

        def steep(u: mpmath.mpf) -> mpmath.mpf:
            return mpmath.tanh(u) + u / mpmath.cosh(u) ** 2

        def bend(u: mpmath.mpf) -> mpmath.mpf:
            y = u * mpmath.tanh(u)
            return 2 * abs(y * (1 - y)) / mpmath.cosh(u) ** 2

        def far(u: mpmath.mpf) -> mpmath.mpf:
            return 2 * abs(1 - u * mpmath.tanh(u)) / mpmath.cosh(u) ** 2

        grid = [mpmath.mpf(k) / 2000 for k in range(20_001)]  # to 10, where all is below 1e-6
        assert abs(steep(slope) - slope) < mpmath.mpf(10) ** -30
        assert slope - 1e-6 < max(map(steep, grid)) <= slope
        assert max(map(far, grid)) <= 2
    largest = float(max(map(bend, grid)))
    # between grid points it rises by less than 2e-6 more, its slope being below 2
    assert largest + 2e-6 <= float(LARGEST_BEND) < largest + 2e-4


WELLS = [
    at_time("two-wells-sgd", "3/10"),
    at_time("two-wells-sgd", "1/20", s=0),
    at_time("two-wells-sgd", 1, a=2, s="1/2"),
    at_time("two-wells-sgd", "1/2", "fraction", a="1/2", s=0),
    at_time("two-wells-sgd", "1/10", "vp-linear", s=1),
]


@pytest.mark.parametrize("point", WELLS, ids=str)
def test_gradients_of_two_wells_are_lipschitz_in_the_mean(point: Point) -> None:
    values = floats_of(point)
    (mu,), (sigma,) = noise_level(point, np.array([float(point.one_time)]))
    model = TwoWells(values["s"] ** 2)
    scale = math.sqrt(mu**2 * values["s"] ** 2 + sigma**2) / mu
    # the gradient is odd in θ; far out it is flat but where μθx is small, which few z bring about
    theta = np.concatenate([np.linspace(0, 6, 1201), np.linspace(6.02, 40, 1700)]) * scale
    z = np.arange(-7.0, 7.05, 0.1)
    weight = 0.1 * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    bound = measure(point, ["gradient_lipschitz"])["gradient_lipschitz"]
    means = []
    for x0 in (values["a"] + values["s"], values["a"] - values["s"]):
        shape = (len(z), len(theta))
        rows = np.broadcast_to(theta, shape).reshape(-1, 1)
        noise = np.broadcast_to(z[:, None], shape).reshape(-1, 1)
        level = np.full(len(rows), mu), np.full(len(rows), sigma)
        gradient = model.gradient(rows, np.full_like(rows, x0), noise, *level).reshape(shape)
        slopes = np.abs(np.diff(gradient, axis=1) / np.diff(theta))
        means.append(float(slopes.max(axis=1) @ weight))
    # secants are at most the largest slope, so a true bound fails only by the rule in z
    assert max(means) <= 1.001 * bound.value
    assert max(means) > 0.2 * bound.value


@pytest.mark.parametrize("point", [WELLS[0], WELLS[3]], ids=str)
def test_scores_of_two_wells_change_by_their_sensitivity(point: Point) -> None:
    values = floats_of(point)
    (mu,), (sigma,) = noise_level(point, np.array([float(point.one_time)]))
    levels, model = NoiseLevels([mu], [sigma], [1.0]), TwoWells(values["s"] ** 2)
    pairs = run_pairs(
        model,
        lambda rng, shape: rng.choice([-1.0, 1.0], (*shape, 1)) * (
            values["a"] + rng.choice([-1.0, 1.0], (*shape, 1)) * values["s"]
        ),
        levels, size=2, batch=1, steps=25, record=[5, 25], step_size=0.2, weight_decay=0.5,
        clip=1.0, noise=1.0, coupling="reflection-maximal", projection_radius=2.0, start=[0.0],
        pairs=600, rng=9,
    )  # fmt: skip
    change = score_changes(pairs, model, levels)
    allowed = measure(point, ["score_sensitivity"])["score_sensitivity"].value * pairs.distance**2
    assert np.all(change.values - change.errors <= allowed * (1 + 1e-9))
    assert np.count_nonzero(allowed) > 100
    assert np.max(change.values[allowed > 0] / allowed[allowed > 0]) > 0.3


# --- Eberle's function ----------------------------------------------------------------------------


@pytest.mark.parametrize("decay", ["1/10", "1", "7"])
def test_ornstein_uhlenbeck_has_its_closed_forms(decay: str) -> None:
    lam = Fraction(decay)
    for share in (Fraction(1, 50), Fraction(1, 2), Fraction(1)):
        point = timeless("eberle-ou", **{"lambda": decay}).with_claim_values(share=Q(str(share)))
        found = measure(point, ["eberle_rate", "f_now", "f_decay", "f_floor", "distance"])
        assert covers(found["eberle_rate"], lam / 2)
        with mpmath.workdps(30):
            outer = 2 / mpmath.sqrt(mpmath.mpf(lam.numerator) / lam.denominator)
            r = outer * share.numerator / share.denominator
            slope, bend = 1 - r**2 / (2 * outer**2), -r / outer**2
            expected = {
                "distance": r,
                "f_now": r - r**3 / (6 * outer**2),
                "f_decay": r * lam.numerator / lam.denominator * slope - 2 * bend,
                "f_floor": r / 2,
            }
            for name, value in expected.items():
                # the closed forms in thirty digits, rounded once to a float
                assert abs(mpmath.mpf(found[name].value) - value) <= found[name].error + 1e-25
                if name != "f_decay" or share < 1:
                    assert found[name].error <= 1e-15 * found[name].value
            if share == 1:  # f'' jumps to 0 there, and both sides are covered
                beyond = mpmath.mpf(found["f_decay"].value) - expected["f_decay"] - 2 * bend
                assert abs(beyond) <= found["f_decay"].error + 1e-25
    assert constants_of(drift_of(point)).inner_radius == 0


def test_small_steps_contract_at_the_rate_of_the_diffusion() -> None:
    """Steps η with noise σ/√η: rate/η lies between Eberle's c and the gap of the generator."""
    decay, slope, clip, sigma = 1, 2, 1, Q(3, 2)
    c = measure(
        timeless("eberle-clipped", L=slope, C=clip, sigma=sigma, **{"lambda": decay}),
        ["eberle_rate"],
    )["eberle_rate"].value
    # −2σ²f'' + (λr − min(Lr, 2C)) f' on [0, 2C/λ] with f(0) = 0 and f'(2C/λ) = 0, by differences
    cells = 800
    width = 2 * clip / decay / cells
    r = width * np.arange(1, cells + 1)
    drift = np.minimum(slope * r, 2 * clip) - decay * r
    diffusion = 2 * float(sigma) ** 2 / width**2
    up, down = diffusion + drift / (2 * width), diffusion - drift / (2 * width)
    beside = np.sqrt(up[:-1] * down[1:])
    beside[-1] = math.sqrt(up[-2] * 2 * diffusion)  # the mirror image of f beyond 2C/λ
    diagonal = np.full(cells, -2 * diffusion)
    gap = -float(
        eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(cells - 1,) * 2)[0]
    )
    rates, ceilings = [], []
    for k in (2, 3, 4):
        given = {"eta": Q(1, 4**k), "noise": sigma * 2**k, "lambda": decay, "L": slope, "C": clip}
        certificate = contraction_at(timeless("reflection-recursion", **given)).certificate
        rates.append(float(certificate.rate_low) * 4**k)
        ceilings.append(float(certificate.rate_high) * 4**k)
    assert all(c < low <= high for low, high in zip(rates, ceilings, strict=True))
    # the noise of one step overshoots the cap by about √η, which here is halved each time
    off = [gap - rate for rate in rates]
    assert 0.5 < off[1] / off[0] < 0.6
    assert 0.5 < off[2] / off[1] < 0.6
    # what is left without the term in √η is of order η
    assert 2 * rates[2] - rates[1] == pytest.approx(gap, rel=0.02)
