"""The verdicts of the figure ``toy`` in words."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from proofs_check.figures.toy_curves import Verdict
from proofs_check.figures.toy_verdicts import CONFIDENCE, FALLS, RISES, UNDECIDED

#: The size of the paper's experiment.
_MAIN = 40
_NAMES = {"kl_target": "KL(ν‖q̂)", "kl_noised": "KL(p_ε‖q̂)"}
_LAWS = {
    "normal": "N(0, 1)",
    "wide": "N(0, 4)",
    "narrow": "N(0, 1/4)",
    "pair": "½N(−2, ¼) + ½N(2, ¼)",
    "circle": "circle",
    "blobs": "three blobs",
}
# Step sizes κ whose curves over ε are told: paces 48 and 12 on the line, 24 and 12 in the plane.
_KAPPAS = {
    **dict.fromkeys(("normal", "wide", "narrow", "pair"), (0.1007, 0.4678)),
    **dict.fromkeys(("circle", "blobs"), (0.2115, 0.4678)),
}
_LETTERS = {"kappa": "κ", "steps": "K", "eps": "ε", "eps to T": "ε"}


def sentences(verdicts: Sequence[Verdict]) -> list[str]:
    """Return a heading, a line for each curve at the main size, and how minima move with N."""
    shown = [v for v in verdicts if v.size == _MAIN and _is_told(v)]
    heading = f"each line holds with confidence {100 * CONFIDENCE:g} %; ± are standard errors"
    return [heading, *map(sentence, shown), *_movements(verdicts)]


def sentence(verdict: Verdict) -> str:
    """Return a verdict in words.

    Examples
    --------
    >>> numbers = (0.1, 0.05, 2.0, 9, 100, "U-shape", 3, 2, 0.5, 0.4, 0.6, 0.03, 0.001)
    >>> words = sentence(Verdict("normal", 40, "kl_target", "kappa", *numbers))
    >>> words.removeprefix("N(0, 1), N = 40: KL(ν‖q̂) against κ in [0.05, 2] at ε = 0.1: ")
    'U-shape; least 0.03 ± 0.001 at κ = 0.5 (0.4 … 0.6)'
    """
    letter = _LETTERS[verdict.variable]
    fixed = "κ" if letter == "ε" else "ε"
    told = f"{verdict.falls} differences fall, {verdict.rises} rise, of {verdict.points - 1}"
    words = {
        UNDECIDED: f"inconclusive ({told})",
        FALLS: f"no U, no interior minimum: falls until {letter} = {verdict.high:.3g}",
        RISES: f"no U, no interior minimum: rises from {letter} = {verdict.low:.3g} on",
    }
    return (
        f"{_LAWS[verdict.target]}, N = {verdict.size}: {_NAMES[verdict.quantity]} against {letter} "
        f"in [{verdict.low:.3g}, {verdict.high:.3g}] at {fixed} = {verdict.at:.3g}: "
        f"{words.get(verdict.shape, verdict.shape)}; least {verdict.least:.4g} ± "
        f"{verdict.error:.1g} at {letter} = {_place(verdict)}"
    )


def _place(verdict: Verdict) -> str:
    place = f"{verdict.best:.3g}"
    if verdict.best_low < verdict.best_high:
        place += f" ({verdict.best_low:.3g} … {verdict.best_high:.3g})"
    return place


def _is_told(verdict: Verdict) -> bool:
    """One quantity for each law, at few κ and ε: the rest is in the files."""
    if verdict.target == "circle":
        wanted = verdict.quantity == "kl_noised"
    elif verdict.target == "blobs":
        wanted = verdict.quantity == ("kl_target" if "eps" in verdict.variable else "kl_noised")
    else:
        wanted = verdict.quantity == "kl_target"
    if verdict.variable == "steps":
        return wanted and verdict.target == "normal" and _near(verdict.at, 0.01)
    if verdict.variable == "kappa":
        usual = verdict.target in ("normal", "circle", "blobs") or _near(verdict.at, 0.01)
        return wanted and usual
    return wanted and any(_near(verdict.at, kappa) for kappa in _KAPPAS[verdict.target])


def _near(one: float, other: float) -> bool:
    return abs(one / other - 1.0) < 0.01


def _movements(verdicts: Sequence[Verdict]) -> Generator[str]:
    """Yield how the minima move with N."""
    for target in dict.fromkeys(verdict.target for verdict in verdicts):
        for variable, at in (("kappa", 0.01), *(("eps", kappa) for kappa in _KAPPAS[target])):
            mine = sorted(
                (
                    v
                    for v in verdicts
                    if (v.target, v.variable, v.quantity) == (target, variable, "kl_target")
                    and _near(v.at, at)
                ),
                key=lambda v: v.size,
            )
            if len(mine) > 1:
                letter, fixed = ("κ", "ε") if variable == "kappa" else ("ε", "κ")
                places = "; ".join(f"{_place(v)} for N = {v.size}" for v in mine)
                yield f"{_LAWS[target]}: best {letter} at {fixed} = {at:.3g}: {places}"
