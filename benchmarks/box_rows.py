"""Rows for certified boxes: mean-value forms against natural enclosures, Arb against mpmath.iv."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.contest import Contest, Contestant, Row, Target

Interval = tuple[Any, Any]
Boxes = list[tuple[Interval, ...]]

# Natural enclosures may need far more boxes than anyone waits for; integrals are slow.
_MOST_BOXES = 200_000
_MOST_INTEGRAL_BOXES = 1_000


def _bisect(
    lower_bound: Callable[[tuple[Interval, ...]], float],
    boxes: Sequence[tuple[Interval, ...]],
    most_boxes: int,
) -> tuple[int, bool]:
    """Halve the widest side until every lower bound is >= 0; return boxes seen, and success."""
    todo = list(boxes)
    seen = 0
    while todo:
        if seen >= most_boxes:
            return seen, False
        box = todo.pop()
        seen += 1
        if lower_bound(box) >= 0:
            continue
        widest = max(range(len(box)), key=lambda k: box[k][1] - box[k][0])
        low, high = box[widest]
        middle = (low + high) / 2
        todo += [
            (*box[:widest], half, *box[widest + 1 :]) for half in ((middle, high), (low, middle))
        ]
    return seen, True


def _mean_value(
    expression: Any, variables: Any, boxes: Boxes, most: int
) -> Callable[[], tuple[int, bool]]:
    from proofs_check.provers.boxes import certify_nonnegative

    def run() -> tuple[int, bool]:
        found = [certify_nonnegative(expression, variables, box, most_boxes=most) for box in boxes]
        return sum(result.boxes for result in found), all(result.certified for result in found)

    return run


def _natural_arb(
    expression: Any, variables: Any, boxes: Boxes, most: int
) -> Callable[[], tuple[int, bool]]:
    from proofs_check.enclosure import enclose, exact_ball

    def lower(box: tuple[Interval, ...]) -> float:
        wide = {
            v: exact_ball(low).union(exact_ball(high))
            for v, (low, high) in zip(variables, box, strict=True)
        }
        value = enclose(expression, wide, precision=44, integral_tolerance=1e-1)
        return 0.0 if value.is_finite() and value >= 0 else -1.0

    return lambda: _bisect(lower, boxes, most)


def _work(result: tuple[int, bool]) -> str:
    boxes, certified = result
    return f"{boxes:,} boxes{'' if certified else ', given up'}"


def _gave_up(result: tuple[int, bool]) -> bool:
    return not result[1]


def _two_points(quick: bool) -> Contest:
    """Theorem 3a on the two-point law, on every interval of the one ratio that matters."""
    import sympy as sp

    from proofs_check.checking import in_forms
    from proofs_check.plans import RATIO_INTERVALS
    from theory import cases, claims
    from theory.operators import merge_expectations

    reduction = cases.get("two-points").reduction
    assert reduction is not None
    forms = reduction.forms({"N": sp.Integer(2), "p": sp.Rational(1, 2)})
    merged = {name: merge_expectations(form) for name, form in forms.items()}
    slack = in_forms(claims.get(TWO_POINT_CLAIM), merged)
    boxes = [(interval,) for interval in RATIO_INTERVALS[: 1 if quick else None]]
    arguments = (slack, [reduction.ratio], boxes, _MOST_INTEGRAL_BOXES)
    return Contest(
        (
            Contestant("ours (mean value)", None, lambda: _mean_value(*arguments)),
            Contestant("Arb, natural", None, lambda: _natural_arb(*arguments)),
        ),
        work=_work,
        gave_up=_gave_up,
    )


def _three_parameters(quick: bool) -> Contest:
    """x² + y² + z² − xy − yz − zx + 1/m on the unit cube: nearly zero along a whole diagonal."""
    import sympy as sp

    x, y, z = variables = sp.symbols("x y z", real=True)
    margin = sp.Rational(1, 10 if quick else 20)
    expression = x**2 + y**2 + z**2 - x * y - y * z - z * x + margin
    unit = (sp.Integer(0), sp.Integer(1))

    def prepare_intervals() -> Callable[[], tuple[int, bool]]:
        from mpmath import iv

        bound = iv.mpf(1) / int(margin.q)

        def lower(box: tuple[Interval, ...]) -> float:
            a, b, c = (iv.mpf([low, high]) for low, high in box)
            return float((a**2 + b**2 + c**2 - a * b - b * c - c * a + bound).a)

        return lambda: _bisect(lower, [((0.0, 1.0),) * 3], _MOST_BOXES)

    arguments = (expression, variables, [(unit,) * 3], _MOST_BOXES)
    return Contest(
        (
            Contestant("ours (mean value)", None, lambda: _mean_value(*arguments)),
            Contestant("Arb, natural", None, lambda: _natural_arb(*arguments)),
            Contestant("mpmath.iv, natural", "mpmath", prepare_intervals),
        ),
        work=_work,
        gave_up=_gave_up,
    )


def _enclosures(quick: bool) -> Contest:
    """One expression of a noise schedule, without tanh (mpmath.iv has none), on many boxes."""
    import sympy as sp

    t, a = variables = sp.symbols("t a", positive=True)
    keep, noise = sp.exp(-t), 1 - sp.exp(-2 * t)
    expression = keep**2 * a**2 / (noise * (keep**2 * a**2 + noise)) + sp.sqrt(noise) * a
    count = 30 if quick else 300
    # Dyadic corners: both libraries enclose the very same boxes.
    corners = [(0.25 + k / 1024, 0.5 + k / 2048) for k in range(count)]
    width = 1 / 4096

    def prepare_arb() -> Callable[[], list[float]]:
        from flint import arb

        from proofs_check.enclosure import enclose

        def run() -> list[float]:
            values = [
                enclose(
                    expression,
                    dict(
                        zip(
                            variables,
                            (arb(low).union(arb(low + width)) for low in corner),
                            strict=True,
                        )
                    ),
                )
                for corner in corners
            ]
            return [float(value.rad()) for value in values]

        return run

    def prepare_intervals() -> Callable[[], list[float]]:
        from mpmath import iv

        def run() -> list[float]:
            radii = []
            for corner in corners:
                time, size = (iv.mpf([low, low + width]) for low in corner)
                kept, noisy = iv.exp(-time), 1 - iv.exp(-2 * time)
                signal = kept**2 * size**2
                value = signal / (noisy * (signal + noisy)) + iv.sqrt(noisy) * size
                radii.append(float(value.delta) / 2)
            return radii

        return run

    def widest(radii: list[float]) -> str:
        return f"radius ≤ {max(radii):.1e}"

    return Contest(
        (
            Contestant("ours (Arb program)", None, prepare_arb),
            Contestant("mpmath.iv", "mpmath", prepare_intervals),
        ),
        work=widest,
    )


#: Certified by boxes in the default plan.
TWO_POINT_CLAIM = "farghly2026.theorem-3a"

ROWS = (
    Row(
        "boxes-two-points",
        f"certified boxes, {TWO_POINT_CLAIM} on two points, N=2 (mpmath.iv has no tanh)",
        Target("fewer boxes; no time set"),
        _two_points,
    ),
    Row(
        "boxes-3",
        "certified boxes, 3 parameters, quadratic form + 1/20",
        Target("≥ 10× (≥ 20× fewer boxes)", 10.0),
        _three_parameters,
    ),
    Row(
        "enclosures",
        "300 enclosures of a schedule expression, 2 parameters",
        Target("no target (the boxes have one)"),
        _enclosures,
    ),
)
