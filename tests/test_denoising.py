"""Proposition 6 and the sharper bounds, against numbers found elsewhere and in limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from proofs_check import sampling
from proofs_check.cli import main
from proofs_check.denoising_bounds import (
    SHOWN_EXPONENTS,
    add_one_bound,
    best_ball,
    best_bound,
    largest_solution,
    packing_bound,
)
from proofs_check.law_integrals import add_one_numbers
from proofs_check.measurement import measure, radius_excess, sides
from proofs_check.number import Method, Number
from proofs_check.point import at_time, with_tau
from theory import cases, claims
from theory.process import TimeAtoms, UniformTime

NAMES = ("C_sm", "E_l_sm_hat", "eps_stab_squared", "packing_first", "packing_second")


def _circle(n: int, t: str, schedule: str = "ou"):
    return at_time("circle", t, schedule, N=n)


# --- exact numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "t", "simulated", "deviation"),
    [
        (20, "3/10", 0.0154, 3e-4),
        (100, "3/10", 5.19e-4, 7e-6),
        (500, "3/10", 2.03e-5, 3e-7),
        (100, "1/20", 0.0171, 4e-4),
    ],
)
def test_stability_on_the_circle_agrees_with_a_simulation_elsewhere(n, t, simulated, deviation):
    found = measure(_circle(n, t), ["eps_stab_squared"])["eps_stab_squared"]
    assert found.method is Method.QUADRATURE
    assert found.error < 1e-4 * found.value
    assert abs(found.value - simulated) < 4 * deviation


@pytest.mark.parametrize(("t", "printed"), [("3/10", 1.63), ("1/20", 11.3), ("1/100", 51.0)])
def test_posterior_variance_on_the_circle(t, printed):
    found = measure(_circle(5, t), ["C_sm"])["C_sm"].value
    assert float(f"{found:.3g}") == pytest.approx(printed, rel=4e-3)


@pytest.mark.parametrize("case", ["circle", "sphere", "segment"])
def test_integrals_agree_with_replicates(case):
    # False alarm: 4 intervals at 2e-11.
    point = at_time(case, "3/10", N=3)
    names = ["C_sm", "eps_stab_squared", "E_own_change", "E_other_change"]
    integrals = measure(point, names)
    sample = sampling.draw(point, effort="quick", seed=5)
    for name in names:
        mean, width = sample.combination({name: 1.0})
        assert integrals[name].method is Method.QUADRATURE
        assert abs(integrals[name].value - mean) <= width
        assert width < mean / 4


def test_every_kind_of_time_measure_is_integrated():
    atoms = TimeAtoms((sp.Rational(1, 5), sp.Integer(1)), (sp.Rational(1, 3), sp.Integer(2)))
    total = measure(with_tau("circle", atoms, N=4), NAMES)
    parts = [measure(_circle(4, t), NAMES) for t in ("1/5", "1")]
    for name in ("C_sm", "eps_stab_squared", "packing_first"):
        expected = parts[0][name].value / 3 + 2 * parts[1][name].value
        assert total[name].value == pytest.approx(expected, rel=1e-9)
    narrow = UniformTime(sp.Rational(3, 10), sp.Rational(3001, 10000))
    spread, at_once = (
        measure(p, NAMES) for p in (with_tau("circle", narrow, N=4), _circle(4, "3/10"))
    )
    assert spread["C_sm"].value == pytest.approx(at_once["C_sm"].value, rel=1e-3)


# --- bounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [100, 1000, 10_000])
@pytest.mark.parametrize("sigma", ["1/50", "1/10", "2/5", "4/5"])
def test_the_sharper_bound_is_sharp(n, sigma):
    # σ_ε² = t for this schedule; the aim was a factor of ten
    point = _circle(n, str(sp.Rational(sigma) ** 2), "fraction")
    changes = add_one_numbers(point)
    assert changes is not None
    assert 1 <= changes["upper"].value / changes["lower"].value <= 1 + 2 / n + 1e-6
    exact = measure(point, ["eps_stab_squared"])["eps_stab_squared"]
    assert changes["lower"].value - changes["lower"].error <= exact.value + exact.error
    assert exact.value - exact.error <= changes["upper"].value + changes["upper"].error


@pytest.mark.parametrize("case", ["circle", "sphere", "segment", "two-points"])
@pytest.mark.parametrize("t", ["1/50", "3/10", "2"])
def test_every_bound_is_above_the_truth(case, t):
    point = at_time(case, t, N=8)
    numbers = measure(point, NAMES)
    exact = numbers["eps_stab_squared"].value
    best = best_bound(point, numbers)
    assert best is not None
    bounds = [best.bound, packing_bound(point, numbers), add_one_bound(point, numbers)]
    for bound in bounds:
        assert bound is not None
        assert bound.value >= exact * (1 - 1e-6)
    for c in SHOWN_EXPONENTS:
        here = largest_solution(point.with_claim_values(c=c, ball=best_ball(point, c)), numbers)
        assert here is not None
        assert here.value >= best.bound.value * (1 - 1e-6)


def test_the_largest_solution_solves_the_claim():
    claim = claims.get("farghly2026.proposition-6")
    point = _circle(20, "3/10").with_claim_values(c=sp.Rational(1, 2), ball=sp.Integer(1))
    numbers = measure(point, claim.quantity_names)
    solution = largest_solution(point, numbers)
    assert solution is not None
    at_it = {**numbers, "eps_stab_squared": Number(solution.value, 0.0)}
    _, rhs, _ = sides(claim, point, at_it)
    assert rhs is not None
    assert rhs.value == pytest.approx(solution.value, rel=1e-6)
    assert rhs.value <= solution.value


@pytest.mark.parametrize(
    ("case", "t", "schedule", "scale"),
    [
        ("segment", "14", "ou", "1"),
        ("segment", "2", "vp-linear", "1"),
        ("segment", "1", "ve", "1e-8"),
    ],
)
def test_balls_never_outgrow_the_support(case, t, schedule, scale):
    point = at_time(case, t, schedule, N=2, a=sp.Rational(scale))
    for c in SHOWN_EXPONENTS:
        assert not radius_excess(point.with_claim_values(c=c, ball=best_ball(point, c)))
    numbers = measure(point, NAMES)
    best = best_bound(point, numbers)
    assert best is not None
    assert best.bound.value >= numbers["eps_stab_squared"].value
    too_large = point.with_claim_values(c=sp.Rational(1, 2), ball=sp.Integer(10) ** 9)
    assert largest_solution(too_large, numbers) is None


def test_suprema_and_averages_must_not_be_mixed():
    """The implied mean is x_1: the supremum over the replaced point breaks what averages obey."""
    n, c, sigma = 3, 0.75, 10.0
    largest = 4 / sigma**4
    pairs = np.array([[a, b] for a in (0, 4) for b in (0, 4)])  # squared distances to x̃
    local = (1 + np.exp(-pairs / (2 * (1 - c) * sigma**2)).sum(axis=1)) / n
    inverse = np.mean(local ** (-c / (1 - c)))
    change_of_first = 2 / sigma**4
    right = (largest * inverse) ** (1 - c) * (change_of_first / n) ** c
    assert change_of_first > 1.8 * right
    assert change_of_first / n < right


def test_a_moment_beyond_floats_is_not_known():
    point = at_time("two-points", "3/10", N=4, c="999/1000")
    assert "inverse_local_mass" not in measure(point, ["inverse_local_mass"])


def test_noise_that_sees_all_points_alike_leaves_the_variance():
    # large noise: replacing a point moves the mean by (x̃ − x_i)/N
    found = measure(at_time("circle", 50, "ve", N=10), ["eps_stab_squared"])["eps_stab_squared"]
    assert found.value == pytest.approx(2 / 100 / 50**4, rel=1e-2)


# --- bad input ------------------------------------------------------------------------------------

PROPOSITION = ("table", "farghly2026.proposition-6", "--case", "circle")
HARNACK = ("table", "wang1997.harnack-heat-kernel", "--case")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*PROPOSITION, "--set", "c=1"), "c=1: c (exponent of Proposition 6)"),
        ((*PROPOSITION, "--set", "c=0"), "strictly between 0 and 1"),
        ((*PROPOSITION, "--set", "ball=5"), "known up to radius 2 only"),
        ((*PROPOSITION, "--set", "ball=0"), "ball=0"),
        ((*PROPOSITION, "--set", "t=0"), "a time > 0"),
        ((*PROPOSITION, "--set", "d=1"), "an integer ≥ 2"),
        ((*PROPOSITION[:3], "gaussian-data"), "needs bounded-support"),
        ((*HARNACK, "heat-circle", "--set", "alpha=1"), "a real number > 1"),
        ((*HARNACK, "heat-circle", "--set", "rho=4"), "rho is at most π a"),
        ((*HARNACK, "heat-sphere", "--set", "t=-1"), "a time > 0"),
        ((*HARNACK, "circle"), "needs heat-kernel"),
        (("table", "farghly2026.theorem-3a", "--case", "circle", "--set", "c=1/2"), "c"),
    ],
)
def test_bad_input_is_named(arguments, message, capsys):
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_the_table_of_proposition_6_shows_every_bound(capsys):
    assert main([*PROPOSITION, "--grid", "N=20,100", "--set", "t=3/10", "--format", "csv"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    columns = head.split(",")
    for name in ("bound c=1/4", "bound c=1/2", "bound c=3/4", "best c", "sharper", "packing"):
        assert name in columns
    values = [dict(zip(columns, row.split(","), strict=True)) for row in rows]
    assert [int(v["N"]) for v in values] == [20, 100]
    for v in values:
        assert math.isclose(
            float(v["best/ε²"]), float(v["best bound"]) / float(v["eps_stab_squared"]), rel_tol=1e-6
        )


# --- cases ----------------------------------------------------------------------------------------


def test_cases_are_listed_and_shown(capsys):
    assert main(["cases"]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n{name} " in listed for name in cases.NAMES)
    assert main(["cases", "sphere"]) == 0
    shown = capsys.readouterr().out
    for text in ("D_H", "1/4", "--set a=", "an integer ≥ 3"):
        assert text in shown
    assert main(["cases", "gaussian-data"]) == 0
    assert "not bounded" in capsys.readouterr().out
    assert main(["cases", "cirle"]) == 2
    assert "'circle'" in capsys.readouterr().err
