"""The figure ``toy`` from its data: six panels, the last two of them two axes each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style
from proofs_check.figures.toy_curves import (
    Curve,
    Sweep,
    Verdict,
    eps_curve,
    kappa_curve,
    standard_error,
    steps_curve,
)
from proofs_check.figures.toy_record import SHOWN, Toy
from proofs_check.figures.toy_verdicts import CONFIDENCE, FALLS, RISES, TURNS, U_SHAPE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ORANGE, _PURPLE = "#E69F00", "#CC79A7"
_FIGURE = (7.2, 5.6)  # inches: the width of a page of two columns
# Left, bottom, width, height; not left to a layout engine, whose last bits differ from run to run.
_PLACES: Mapping[str, tuple[float, float, float, float]] = {
    "a": (0.07, 0.58, 0.25, 0.33),
    "b": (0.40, 0.58, 0.25, 0.33),
    "c": (0.73, 0.58, 0.25, 0.33),
    "d": (0.07, 0.08, 0.25, 0.36),
    "e0": (0.40, 0.08, 0.12, 0.36),
    "e1": (0.535, 0.08, 0.12, 0.36),
    "f0": (0.73, 0.28, 0.25, 0.16),
    "f1": (0.73, 0.08, 0.25, 0.16),
}
_SIZE = 40
_EPS_COLOURS = (GREEN, _ORANGE, VERMILION, _PURPLE, BLUE)
_LOOKS = {"normal": (BLUE, "o"), "wide": (VERMILION, "s"), "narrow": (GREEN, "^"),
          "pair": (_PURPLE, "D"), "circle": (BLUE, "o"), "blobs": (VERMILION, "s")}  # fmt: skip
_NAMES = {
    "normal": "N(0, 1)",
    "wide": "N(0, 4)",
    "narrow": "N(0, ¼)",
    "pair": "two blobs",
    "circle": "circle",
    "blobs": "three blobs",
}
_FOUND = {U_SHAPE: "U", FALLS: "falls", RISES: "rises", TURNS: "turns twice"}
_TO_LAW, _TO_NOISED = r"KL$(\nu\,\|\,\hat q)$", r"KL$(p_\varepsilon\,\|\,\hat q)$"
# Step sizes of panel c and where minima over ε are looked for, if there is such a pace.
_PACES, _PACE, _LONG_PACE, _PLANE_PACE = (48, 24, 12), 48, 12, 24


def draw(record: Toy) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=_FIGURE)
        FigureCanvasAgg(figure)
        axes = {name: figure.add_axes(place) for name, place in _PLACES.items()}
        _against_steps(axes["a"], axes["b"], record)
        _against_eps(axes["c"], record)
        _parts(axes["d"], record)
        _plane(axes["e0"], axes["e1"], record)
        _movement(axes["f0"], axes["f1"], record)
        where = f"rings: least mean; bars: standard errors over data sets; N = {_SIZE} but in (f)"
        figure.text(0.07, 0.975, f"Empirical score, density transported. {where}", fontsize=6.5)
    return figure


def _show(
    axes: Axes, curve: Curve, verdict: Verdict, label: str, colour: str, mark: str, line: str = "-"
) -> None:
    """Draw a curve with its errors, a ring at its least mean, and what it is found to be."""
    mean, error = curve.mean, curve.error
    shown = mean > 0.0  # nothing else has a place on this axis
    axes.errorbar(
        curve.abscissae[shown], mean[shown], error[shown], fmt=mark + line, color=colour,
        markersize=2.2, lw=0.9, elinewidth=0.7, capsize=1.2, capthick=0.6,
        label=f"{label}: {_FOUND.get(verdict.shape, 'undecided')}",
    )  # fmt: skip
    axes.plot(
        [verdict.best], [verdict.least], "o", color=colour, markersize=6, fillstyle="none",
        markeredgewidth=0.8,
    )  # fmt: skip


def _against_steps(left: Axes, right: Axes, record: Toy) -> None:
    found = []
    for eps, colour in zip(SHOWN, _EPS_COLOURS, strict=True):
        kappa = kappa_curve(record.sweeps, "normal", _SIZE, "kl_target", eps)
        steps = steps_curve(record.sweeps, "normal", _SIZE, "kl_target", eps)
        if kappa is not None and steps is not None:
            found.append(record.verdict(kappa))
            label = f"ε = {eps:.2g}"
            _show(left, kappa, found[-1], label, colour, "o")
            _show(right, steps, record.verdict(steps), label, colour, "o")
    count = sum(verdict.shape == U_SHAPE for verdict in found)
    left.set(xscale="log", yscale="log", xlabel="step size κ", ylabel=f"{_TO_LAW}  [nats]")
    right.set(xscale="log", yscale="log", xlabel="number of steps K = L + m")
    left.set_title(f"(a) N(0, 1) against κ:\n      U-shaped at {count} of {len(found)} ε")
    right.set_title("(b) the same runs\n      against the number of steps")
    _head_room(left, 0.42)
    _legend(left)


def _sweep(record: Toy, target: str, pace: int, size: int = _SIZE) -> Sweep | None:
    wanted = (target, size, pace)
    found = (s for s in record.sweeps if (s.target, s.size, s.pace) == wanted)
    return next(found, None)


def _against_eps(axes: Axes, record: Toy) -> None:
    cases = [("normal", pace) for pace in _PACES]
    cases += [(target, _PACE) for target in ("wide", "narrow", "pair")]
    styles = dict(zip(_PACES, ("-", "--", ":"), strict=True))
    for target, pace in cases:
        sweep = _sweep(record, target, pace)
        if sweep is None:
            continue
        curve, judged = (eps_curve(sweep, "kl_target", whole=whole) for whole in (True, False))
        if curve is not None and judged is not None:
            colour, mark = _LOOKS[target]
            label = f"{_NAMES[target]}, κ = {curve.at:.2g}"
            _show(axes, curve, record.verdict(judged), label, colour, mark, styles[pace])
    axes.set(xscale="log", yscale="log", xlabel="early stopping time ε, up to T")
    axes.set_title(f"(c) {_TO_LAW} against ε up to T;\n      in words its shape on ε ≤ 1")
    _head_room(axes, 0.5)
    _legend(axes)


def _parts(axes: Axes, record: Toy) -> None:
    rows = []
    for sweep in record.sweeps:
        column = sweep.column(0.01)
        if (sweep.target, sweep.size) == ("normal", _SIZE) and column is not None:
            part, bound = record.parts_of(sweep, column), record.bound(sweep, column)
            if part is not None and bound is not None:
                error = sweep.values["score_error"][:, column]
                divergence = sweep.values["kl_noised"][:, column]
                rows.append(
                    (
                        sweep.kappa,
                        *bound,
                        float(error.mean()),
                        float(standard_error(error)),
                        part.discretisation,
                        float(divergence.mean()),
                        float(standard_error(divergence)),
                    )
                )
    table = np.array(sorted(rows))
    if not len(table):
        return
    kappa, none = table[:, 0], np.zeros(len(table))
    for mean, spread, colour, line, label in (
        (table[:, 1], table[:, 2], GREY, "-", "bound of Proposition 7"),
        (table[:, 3], table[:, 4], VERMILION, "-", r"score error $\mathbb{E}\,\ell_{sm}$"),
        (table[:, 5], none, GREEN, "--", r"discretisation $D_\kappa$"),
        (table[:, 6], table[:, 7], BLUE, "-", _TO_NOISED),
    ):
        axes.errorbar(
            kappa, mean, spread, fmt="o" + line, color=colour, markersize=2.2, lw=0.9,
            elinewidth=0.7, capsize=1.2, capthick=0.6, label=label,
        )  # fmt: skip
    ratio = table[:, 1] / table[:, 6]
    axes.set(xscale="log", yscale="log", xlabel="step size κ", ylabel="nats")
    axes.set_title(
        f"(d) N(0, 1) at ε = 0.01, prior part 0: the\n"
        f"      bound is {ratio.min():.2g} to {ratio.max():.2g} times too large"
    )
    _head_room(axes, 0.4)
    _legend(axes)


def _plane(left: Axes, right: Axes, record: Toy) -> None:
    for target in ("circle", "blobs"):
        colour, mark = _LOOKS[target]
        for eps, line in zip(SHOWN, ("-", "--"), strict=False):
            curve = kappa_curve(record.sweeps, target, _SIZE, "kl_noised", eps)
            if curve is not None:
                label = f"{_NAMES[target]}, ε = {eps:.2g}"
                _show(left, curve, record.verdict(curve), label, colour, mark, line)
        quantity = "kl_noised" if target == "circle" else "kl_target"
        sweep = _sweep(record, target, _PLANE_PACE)
        over = None if sweep is None else eps_curve(sweep, quantity)
        if over is not None:
            label = f"{_NAMES[target]}, κ = {over.at:.2g}"
            _show(right, over, record.verdict(over), label, colour, mark, ":")
    left.set(xscale="log", yscale="log", xlabel="step size κ", ylabel="nats")
    right.set(xscale="log", yscale="log", xlabel="ε")
    ends = [*left.get_ylim(), *right.get_ylim()]
    low, high = min(ends), max(ends)
    for axes in (left, right):
        axes.set_ylim(low, high * (high / low) ** 0.75)
    right.tick_params(which="both", left=False, labelleft=False)
    right.spines["left"].set_visible(False)
    left.minorticks_off()
    left.set_xticks([0.1, 0.2, 0.5], ["0.1", "0.2", "0.5"])
    # The legend spans both.
    left.set_zorder(right.get_zorder() + 1)
    left.patch.set_visible(False)
    left.set_title(f"(e) in the plane: {_TO_NOISED}, but for the\n      blobs against ε {_TO_LAW}")
    _legend(left, right)


def _movement(upper: Axes, lower: Axes, record: Toy) -> None:
    targets = ("normal", "wide", "narrow", "pair")
    for i, target in enumerate(targets):
        kappas = _minima(record, target, "kappa", 0.01)
        _minimum_line(upper, kappas, i, *_LOOKS[target], f"{_NAMES[target]}")
        pace = _LONG_PACE if target == "normal" else _PACE
        sweep = _sweep(record, target, pace)
        if sweep is not None:
            found = _minima(record, target, "eps", sweep.kappa)
            label = f"κ = {sweep.kappa:.2g}" if target in ("normal", "pair") else "_"
            _minimum_line(lower, found, i, *_LOOKS[target], label)
    upper.set(xscale="log", yscale="log", ylabel="best κ, ε = 0.01")
    lower.set(xscale="log", yscale="log", ylabel="best ε ≤ 1", xlabel="sample size N")
    sizes = sorted({sweep.size for sweep in record.sweeps})
    for axes in (upper, lower):
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
        axes.set_xlim(sizes[0] * 0.8, sizes[-1] * 1.4)
    upper.tick_params(labelbottom=False)
    upper.set_title(
        f"(f) where {_TO_LAW} is least as N\n      grows (bars: {100 * CONFIDENCE:g} %)"
    )
    for axes in (upper, lower):
        low, high = axes.get_ylim()
        axes.set_ylim(low / (high / low) ** 0.35, high)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower left", ncols=2, fontsize=5.2, handlelength=1, columnspacing=0.8)


def _minima(record: Toy, target: str, variable: str, at: float) -> Sequence[Verdict]:
    found: Iterable[Verdict] = (
        verdict
        for verdict in record.verdicts
        if (verdict.target, verdict.quantity, verdict.variable) == (target, "kl_target", variable)
        and abs(verdict.at / at - 1.0) < 1e-9
    )
    return sorted(found, key=lambda verdict: verdict.size)


def _minimum_line(
    axes: Axes, minima: Sequence[Verdict], place: int, colour: str, mark: str, label: str
) -> None:
    if not minima:
        return
    best = np.array([verdict.best for verdict in minima])
    ends = [[v.best - v.best_low for v in minima], [v.best_high - v.best for v in minima]]
    across = np.array([verdict.size for verdict in minima]) * 1.05**place
    axes.errorbar(
        across, best, ends, fmt=mark + "-", color=colour, markersize=2.6, lw=0.6, elinewidth=0.8,
        capsize=1.5, capthick=0.7, label=label,
    )  # fmt: skip


def _legend(*several: Axes) -> None:
    """Write one legend for all of them into the first."""
    found = [axes.get_legend_handles_labels() for axes in several]
    handles = [handle for some, _ in found for handle in some]
    if handles:
        labels = [label for _, some in found for label in some]
        several[0].legend(handles, labels, loc="upper left", handlelength=1.8, fontsize=5.6)


def _head_room(axes: Axes, share: float) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** share)
