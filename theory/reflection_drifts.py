r"""Drifts by how fast they pull two points together: the curvature κ(r) at distance r.

For ``dX = b(X) dt + dW``, ``κ(r) = inf -2 ⟨x - y, b(x) - b(y)⟩ / r²`` over |x - y| = r, as in
Eberle 2016, "Reflection couplings and contraction rates for diffusions".
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

#: The distance.
DISTANCE = sp.Symbol("r", positive=True)


@dataclass(frozen=True, slots=True)
class ReflectionDrift:
    """A drift's curvature on consecutive intervals of distances.

    Attributes
    ----------
    name, title : str
        For tables.
    parameters : tuple of (str, sympy.Expr)
        What was chosen.
    pieces : tuple of (sympy.Expr, sympy.Expr)
        The end of each interval, the last one infinity, with κ there in ``DISTANCE``.
    """

    name: str
    title: str
    parameters: tuple[tuple[str, sp.Expr], ...]
    pieces: tuple[tuple[sp.Expr, sp.Expr], ...]

    def __post_init__(self) -> None:
        if not self.pieces or self.pieces[-1][0] != sp.oo:
            raise ValueError(f"pieces={self.pieces}: must reach infinity; let the last end be oo")


def ornstein_uhlenbeck(rate: sp.Expr) -> ReflectionDrift:
    """Return the drift -λ x.

    Examples
    --------
    >>> ornstein_uhlenbeck(sp.Integer(3)).pieces
    ((oo, 6),)
    """
    _require_positive("lambda", rate)
    return ReflectionDrift(
        "ornstein-uhlenbeck", "b = -λ x", (("lambda", rate),), ((sp.oo, 2 * rate),)
    )


def double_well(height: sp.Expr) -> ReflectionDrift:
    """Return the drift a x - x³ on the line, down the potential x⁴/4 - a x²/2.

    ``(x - y)(b(x) - b(y)) = r² (a - x² - x y - y²)``, and ``x² + x y + y² >= r²/4``.

    Examples
    --------
    >>> double_well(sp.Integer(1)).pieces
    ((oo, r**2/2 - 2),)
    """
    _require_positive("a", height)
    curvature = DISTANCE**2 / 2 - 2 * height
    return ReflectionDrift("double-well", "b = a x - x³", (("a", height),), ((sp.oo, curvature),))


def clipped_gradient(
    weight_decay: sp.Expr, lipschitz: sp.Expr, clip: sp.Expr, noise: sp.Expr
) -> ReflectionDrift:
    """Return weight decay with a clipped gradient, ``dθ = b dt + σ dW``, with r in units of σ.

    The gradients part by at most ``min(L |θ - θ'|, 2 C)``, so κ(r) is
    ``2 λ - 2 min(L, 2 C / (σ r))`` or more.

    Examples
    --------
    >>> clipped_gradient(sp.Rational(1, 5), sp.Integer(1), sp.Integer(1), sp.Integer(2)).pieces
    ((1, -8/5), (oo, 2/5 - 2/r))
    """
    given = (("lambda", weight_decay), ("L", lipschitz), ("C", clip), ("sigma", noise))
    for name, value in given:
        if name != "L" or value != 0:
            _require_positive(name, value)
    pieces: tuple[tuple[sp.Expr, sp.Expr], ...] = ((sp.oo, 2 * weight_decay),)
    if lipschitz != 0:
        pieces = (
            (2 * clip / (lipschitz * noise), 2 * (weight_decay - lipschitz)),
            (sp.oo, 2 * weight_decay - 4 * clip / (noise * DISTANCE)),
        )
    return ReflectionDrift("clipped-gradient", "b = -λ θ + clipped gradient", given, pieces)


def _require_positive(name: str, value: sp.Expr) -> None:
    if not sp.sympify(value).is_positive:
        raise ValueError(f"{name}={value}: must be positive; raise it above 0")
