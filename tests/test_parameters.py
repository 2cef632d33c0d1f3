"""What a user types becomes exact points, or one line that says what is wrong."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from proofs_check.errors import UsageError, nearest, unknown_name
from proofs_check.exact import exact_number
from proofs_check.parameters import parse_assignments, points
from proofs_check.point import Point, at_time
from theory.process import TimeAtoms, UniformTime


def only(points: tuple[Point, ...]) -> Point:
    (point,) = points
    return point


@pytest.mark.parametrize("text", ["3/10", "0.3", ".3", "3e-1", "30E-2", " 6/20 ", "+0.30"])
def test_one_number_however_it_is_spelled(text: str) -> None:
    assert exact_number("t", text) == Fraction(3, 10)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=30))
def test_decimals_lose_no_digit(value: Decimal) -> None:
    assert exact_number("x", str(value)) == Fraction(value)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "inf",
        "-Infinity",
        "",
        "1/0",
        "1/2/3",
        "0x10",
        "1_000",
        "1e999999999",
        "²",
        "1,5",
        "٣",
    ],
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="x is a real number; write a finite number such as"):
        exact_number("x", text)


def test_values_stay_exact_and_defaults_fill_in() -> None:
    point = only(points("gaussian-mean", ["s=0.1", "t=1e-2"]))
    assert dict(point.values) == {"N": 4, "d": 1, "s": sp.Rational(1, 10)}
    assert all(isinstance(value, sp.Rational) for _, value in point.values)
    assert point.tau == TimeAtoms((sp.Rational(1, 100),), (sp.S.One,))


def test_no_time_means_three_tenths() -> None:
    assert only(points("two-points")) == at_time("two-points", "3/10")


def test_the_last_grid_varies_fastest() -> None:
    found = points("gaussian-mean", ["t=0.3"], ["N=2,1", "s=1,1/2,3"])
    assert [(dict(p.values)["N"], dict(p.values)["s"]) for p in found] == [
        (n, s) for n in (2, 1) for s in (1, sp.Rational(1, 2), 3)
    ]


def test_times_and_schedules_may_be_gridded() -> None:
    found = points("gaussian-mean", [], ["schedule=ou,ve", "t=1/5,1/10;1/2"])
    assert [(p.schedule, len(p.tau.times)) for p in found if isinstance(p.tau, TimeAtoms)] == [
        ("ou", 1),
        ("ou", 2),
        ("ve", 1),
        ("ve", 2),
    ]


def test_a_list_of_times_weighs_them_equally_unless_told() -> None:
    half = sp.Rational(1, 2)
    equal = only(points("one-point", ["t=1;2"])).tau
    assert equal == TimeAtoms((sp.Integer(1), sp.Integer(2)), (half, half))
    given_weights = only(points("one-point", ["t=1;2", "weights=1;1/2"])).tau
    assert given_weights == TimeAtoms((sp.Integer(1), sp.Integer(2)), (sp.Integer(1), half))


@pytest.mark.parametrize(
    ("sets", "eps", "horizon"),
    [(["eps=0.1"], "1/10", "1"), (["T=2"], "1/100", "2"), (["eps=1", "T=3"], "1", "3")],
)
def test_uniform_time(sets: list[str], eps: str, horizon: str) -> None:
    tau = only(points("one-point", sets)).tau
    assert tau == UniformTime(sp.Rational(eps), sp.Rational(horizon))


def test_a_schedule_brings_its_own_parameters() -> None:
    point = only(points("one-point", ["schedule=vp-linear", "beta_min=0.5"]))
    own = dict(point.schedule_values)
    assert own == {"beta_min": sp.Rational(1, 2), "beta_d": sp.Rational(199, 10)}
    assert only(points("one-point", ["schedule=ve"])).schedule_values == ()


def test_what_the_case_fixes_may_be_said_but_not_changed() -> None:
    assert only(points("one-point", ["N=1"])) == only(points("one-point"))
    with pytest.raises(UsageError, match="N=2: N is 1 on one-point; leave it out"):
        points("one-point", ["N=2"])


WRONG = {
    "N=0": "N=0: N (number of training points) is an integer ≥ 1; take N=1, say",
    "N=-3": "N=-3: N (number of training points) is an integer ≥ 1; take N=1, say",
    "N=2.5": "N=2.5: N (number of training points) is an integer ≥ 1; write N=1",
    "N=2.0": "N=2.0: N (number of training points) is an integer ≥ 1; write N=2",
    "N=1e1": "N=1e1: N (number of training points) is an integer ≥ 1; write N=10",
    "N=nan": "N=nan: N is an integer ≥ 1; write a finite number such as 1 or 10",
    "s=0": "s=0: s (standard deviation of each coordinate of the data) is a real number > 0",
    "s=-1/2": "s=-1/2: s (standard deviation",
    "s=inf": "s=inf: s is a real number > 0; write a finite number",
    "eps=1": "eps=1: eps (1) is a time > 0 and below T (1); take a smaller eps or a larger T",
    "eps=0": "eps=0: eps is a real number > 0",
    "T=0.001": "T=0.001: eps (1/100) is a time > 0 and below T (1/1000)",
    "t=0": "t=0: t is a time > 0 (schedule ou); take 3/10, say",
    "t=0.1;": "t=: t is a time > 0",
    "t=0.1;-1": "t=-1: t is a time > 0",
    "weights=1": "weights=1: weights belong to a list of times; give t",
    "schedule=vp": "unknown schedule 'vp': did you mean 'vp-linear'? Known: ou, vp-linear, ve,",
    "beta_min=1": "beta_min=1: the schedule ou has no beta_min; set schedule=vp-linear as well",
    "n=3": "unknown parameter of gaussian-mean 'n': did you mean 'N'? Known: N, d, s, schedule,",
    "N": "--set N: write --set name=value",
    "=3": "--set =3: write --set name=value",
    "N=": "--set N=: write --set name=value",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=WRONG)
def test_a_wrong_value_is_named_with_its_domain(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        points("gaussian-mean", [text])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("case", "sets", "grids", "message"),
    [
        ("two-points", ["p=3/2"], [], "p=3/2: p .* is a number in .0, 1.; take p=1/2"),
        ("two-points", ["p=-0.1"], [], "p=-0.1: p "),
        ("one-point", ["t=1", "schedule=fraction"], [], "t=1: t is a time > 0 and < 1"),
        ("one-point", ["T=2", "schedule=fraction"], [], "T=2: T is at most 1"),
        ("one-point", ["t=1", "eps=0.1"], [], "t=1 and eps=0.1: .*give one or the other"),
        ("one-point", ["t=1"], ["T=1,2"], "t=1 and T=1: "),
        ("one-point", ["t=1;2", "weights=1;1;1"], [], "3 weights for 2 times"),
        ("one-point", ["t=1;2", "weights=1;0"], [], "weights=0: weights is a real number > 0"),
        ("one-point", ["d=1"], ["d=1,2"], "d is given by --set and by --grid; keep one"),
        ("one-point", ["d=1", "d=2"], [], "--set d=2: d is given twice"),
        ("one-point", [], ["d=1,,2"], "--grid d=1,,2: an empty value"),
        ("one-point", [], ["d=,"], "--grid d=,: an empty value"),
        ("one-pont", [], [], "unknown case 'one-pont': did you mean 'one-point'"),
        ("one-point", [], ["d=1,0"], "d=0: d .dimension. is an integer"),
        ("one-point", ["schedule=vp-linear", "beta_d=-1"], [], "beta_d=-1: beta_d is a real"),
    ],
)
def test_combinations_that_make_no_sense(
    case: str, sets: list[str], grids: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        points(case, sets, grids)


def test_values_may_hold_an_equals_sign_only_once_per_name() -> None:
    assert parse_assignments(["a=b=c"], "--set") == {"a": "b=c"}


def test_the_nearest_name() -> None:
    names = ["farghly2026.theorem-3a", "farghly2026.theorem-3a-sharp", "farghly2026.lemma-1"]
    assert nearest("theorem-3a-sharp", names) == "farghly2026.theorem-3a-sharp"
    assert nearest("farghly2026.theorm-3a", names) == "farghly2026.theorem-3a"
    assert nearest("LEMMA", names) == "farghly2026.lemma-1"
    assert nearest("", names) in names


def test_a_long_list_of_names_is_not_recited() -> None:
    assert "Known" not in str(unknown_name("claim", "x", [f"claim-{n}" for n in range(30)]))
