"""Claims about two coupled processes at distance r, certified for every r at once."""

from __future__ import annotations

from proofs_check.contraction import contraction_at
from proofs_check.drift_quantities import certificate_of, drift_of
from proofs_check.point import Point
from theory import claims
from theory.claim import Claim


def certified_at_every_distance(claim: Claim, point: Point) -> str:
    """Say how a claim was certified for every distance at a point; empty if it was not.

    Examples
    --------
    >>> from proofs_check.point import timeless
    >>> claim = claims.get("farghly2026.reflection-contraction")
    >>> certified_at_every_distance(claim, timeless("reflection-recursion")).split(":")[0]
    'every r in (0, 2]'
    """
    stated = claims.CLAIMS.get(claim.id)
    if stated is None or stated.statement.conclusion != claim.statement.conclusion:
        return ""
    if claim.id == "farghly2026.reflection-contraction":
        return _contraction(point)
    return _eberle(claim, point)


def _contraction(point: Point) -> str:
    """The rate in the claim is the certificate's own, so nothing is left to compare."""
    contraction = contraction_at(point)
    certificate, diameter = contraction.certificate, contraction.diameter
    interval = "r > 0" if diameter is None else f"r in (0, {diameter}]"
    best = "" if diameter is None else f", no f contracts faster than {certificate.rate_high}"
    return (
        f"every {interval}: contracts by {certificate.rate_low} at least{best}; "
        f"{certificate.cells} cells"
    )


def _eberle(claim: Claim, point: Point) -> str:
    certificate = certificate_of(drift_of(point))
    if claim.id == "eberle2016.differential-inequality":
        if certificate.failed is not None or not certificate.beyond:
            return ""
        return (
            f"every r > 0 but R₁: {certificate.direct} cells of (0, R₁] from the derivatives of "
            f"f, {certificate.structural} as sums of terms of one sign; beyond R₁ from κ"
        )
    if claim.id in ("eberle2016.upper", "eberle2016.lower") and certificate.two_sided:
        return "every r >= 0, from the enclosures of f on all cells"
    return ""
