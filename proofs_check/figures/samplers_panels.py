"""The figure ``samplers`` from its data: four rows of three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from numerics.gaussian_samplers import METHODS, SCORES
from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style
from proofs_check.figures.samplers import (
    BOUNDS,
    SIZE,
    STOP,
    VARIANCE,
    VARIANCES,
    Samplers,
    cells,
)
from proofs_check.figures.samplers_points import EXACT, HORIZON, LAWS, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ORANGE, _PURPLE = "#E69F00", "#CC79A7"
_SIZE = (7.2, 9.0)  # inches: a page
# Not left to a layout engine, whose last bits differ from run to run.
_LEFTS, _WIDTH = (0.075, 0.4, 0.725), 0.255
_BOTTOMS, _HEIGHT = (0.768, 0.525, 0.285, 0.043), 0.163
_LOOKS = {
    "exponential": (BLUE, "-"),
    "euler-maruyama": (VERMILION, "-"),
    "flow-euler": (GREEN, "--"),
    "flow-exponential": (_ORANGE, "--"),
    "flow-heun": (_PURPLE, "--"),
}
_NAMES = {
    "exponential": "exponential integrator",
    "euler-maruyama": "Euler–Maruyama",
    "flow-euler": "flow, Euler",
    "flow-exponential": "flow, exponential",
    "flow-heun": "flow, Heun",
}
_STEP = "step size κ"
# What curves beyond these would hide: the exponential sampler blows up at ln 3.
_RATIO_ENDS, _VARIANCE_ENDS = (0.45, 2.2), (0.65, 1.7)
_TICKS = (0.5, 0.7, 1.0, 1.4, 2.0)
_GAINS = (1.05, 1.2, 2.0)
_BANDS = (
    ("divergence", "path_divergence", "#9ecae1", "data processing"),
    ("path_divergence", "sharper_bound", "#fdae6b", "cross term"),
    ("sharper_bound", "bound", "#d9d9d9", "Minkowski"),
)
_CHAIN = {
    "divergence": ("-", "KL"),
    "path_divergence": ("--", "KL of the paths"),
    "sharper_bound": ("-.", "sharper bound"),
    "bound": (":", "Proposition 7"),
}


def draw(record: Samplers) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        axes = [
            [figure.add_axes((left, bottom, _WIDTH, _HEIGHT)) for left in _LEFTS]
            for bottom in _BOTTOMS
        ]
        _legend(figure)
        _divergences(axes[0][:2], record)
        _map(axes[0][2], record)
        _variances(axes[1], record)
        _slack(axes[2], record)
        _best_steps(axes[3][0], record)
        _points(axes[3][1:], record)
    return figure


def _legend(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    lines = [
        Line2D([], [], color=colour, ls=line, label=_NAMES[method])
        for method, (colour, line) in _LOOKS.items()
    ]
    figure.legend(handles=lines, loc="upper center", ncols=len(lines), handlelength=2.4)
    figure.text(
        0.5, 0.968, f"N = {SIZE}, T ≈ {HORIZON:g}, d = 1; ε = {STOP:g} but for (f)",
        ha="center", fontsize=6,
    )  # fmt: skip


def _curves(axes: Axes, rows: Sequence[Sequence[Row]], unit: float) -> None:
    """Draw one curve for each sampler, with its standard errors where it has any."""
    for curve in rows:
        colour, line = _LOOKS[curve[0].method]
        across = [row.kappa for row in curve]
        up = np.array([row.value for row in curve]) / unit
        axes.plot(across, up, line, color=colour, label=f"_{curve[0].method}")
    axes.axhline(1.0, color=GREY, lw=0.6, zorder=1)
    axes.set(xscale="log", yscale="log", xlabel=_STEP)


def _ratio_ticks(axes: Axes, ends: tuple[float, float]) -> None:
    axes.set_ylim(*ends)
    axes.minorticks_off()
    axes.set_yticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
    axes.set_ylim(*ends)
    axes.set_xticks([0.1, 1.0], ["0.1", "1"])
    if min(axes.get_xlim()) <= 0.02:
        axes.set_xticks([0.02, 0.1, 1.0], ["0.02", "0.1", "1"])


def _note(axes: Axes, text: str) -> None:
    axes.text(0.03, 0.03, text, transform=axes.transAxes, fontsize=6, va="bottom", zorder=6)


def _divergences(places: Sequence[Axes], record: Samplers) -> None:
    titles = ("(a) KL over the exact sampler's:\n      estimated mean", "\n      mean and variance")
    for axes, score, title in zip(places, SCORES[1:], titles, strict=True):
        where = {"variance": VARIANCE}
        rows = [record.curve("kappa", score, method, "divergence", **where) for method in METHODS]
        exact = record.exact("kappa", score, **where)
        _curves(axes, rows, exact)
        _ratio_ticks(axes, _RATIO_ENDS)
        axes.set_title(title)
        _note(axes, f"s² = {VARIANCE:g}\n1: KL = {exact:.4f}")
    places[0].set_ylabel(r"$\mathrm{E\,KL}(p_\varepsilon\|\hat q)$ / exact sampler's")


def _map(axes: Axes, record: Samplers) -> None:
    from matplotlib.colors import ListedColormap

    found = cells(record)
    across = sorted({cell.kappa for cell in found})
    up = sorted({cell.variance for cell in found})
    shape = (len(up), len(across))
    winner = np.reshape([METHODS.index(cell.method) for cell in found], shape)
    ratio = np.reshape([cell.ratio for cell in found], shape)
    colours = ListedColormap([_LOOKS[method][0] for method in METHODS])
    # Flat in vector formats too: no hairlines between the cells.
    axes.pcolormesh(
        _edges(across), _edges(up), winner, cmap=colours, vmin=-0.5, vmax=len(METHODS) - 0.5,
        alpha=0.55, linewidth=0, rasterized=True,
    )  # fmt: skip
    levels = [level for level in _GAINS if ratio.min() < level < ratio.max()]
    if levels and min(shape) > 1:
        lines = axes.contour(across, up, ratio, levels=levels, colors="black", linewidths=0.6)
        axes.clabel(lines, fmt="%g", fontsize=6)
    axes.set(xscale="log", yscale="log", xlabel=_STEP, ylabel="data variance s²")
    axes.minorticks_off()
    axes.set_xticks([0.03, 0.1, 0.3, 1.0], ["0.03", "0.1", "0.3", "1"])
    axes.set_yticks([1 / 16, 1 / 4, 1, 4, 16], ["1/16", "1/4", "1", "4", "16"])
    axes.set(xlim=_edges(across)[[0, -1]], ylim=_edges(up)[[0, -1]])
    axes.set_title("(c) least KL; lines: how many times\n      as large the exponential one's is")


def _edges(middles: Sequence[float]) -> NDArray[np.float64]:
    """Return the edges of cells about these, on the logarithmic scale."""
    logs = np.log(middles)
    if len(logs) < 2:
        return np.asarray(np.exp([logs[0] - 0.5, logs[0] + 0.5]))
    inner = (logs[1:] + logs[:-1]) / 2
    return np.asarray(np.exp([2 * logs[0] - inner[0], *inner, 2 * logs[-1] - inner[-1]]))


def _variances(places: Sequence[Axes], record: Samplers) -> None:
    for axes, variance in zip(places, VARIANCES, strict=True):
        rows = [
            record.curve("kappa", "plug-in", method, "variance_ratio", variance=variance)
            for method in METHODS
        ]
        _curves(axes, rows, 1.0)
        noise, kept = -math.expm1(-2 * STOP), math.exp(-2 * STOP)
        exact = (noise + kept * variance * (1 - 1 / SIZE)) / (noise + kept * variance)
        axes.axhline(exact, color=GREY, lw=0.8, ls=":", zorder=1)
        _ratio_ticks(axes, _VARIANCE_ENDS)
        axes.set_title(f"\n      s² = {variance:g}")
    places[0].set_title(
        f"(b) the output's variance, mean and\n      variance estimated: s² = {VARIANCES[0]:g}"
    )
    places[0].set_ylabel(r"$\mathrm{E}\,V/v_\varepsilon$  (dotted: exact sampler)")


def _slack(places: Sequence[Axes], record: Samplers) -> None:
    ends = []
    for axes, score in zip(places, SCORES, strict=True):
        chain = {
            name: record.curve("kappa", score, "exponential", name, variance=VARIANCE)
            for name in ("divergence", *BOUNDS)
        }
        across = [row.kappa for row in chain["divergence"]]
        up = {name: np.array([row.value for row in rows]) for name, rows in chain.items()}
        for low, high, colour, label in _BANDS:
            axes.fill_between(across, up[low], up[high], color=colour, lw=0, label=label)
        for name, (line, label) in _CHAIN.items():
            axes.plot(across, up[name], line, color="black", lw=0.9, label=label)
            ends += [*up[name][np.array(across) < 1]]
        axes.set(xscale="log", yscale="log", xlabel=_STEP)
        axes.set_title(f"\n      score: {score}")
    for axes in places:
        axes.set_ylim(min(ends) / 1.5, max(ends) * 2.5)
        axes.minorticks_off()
        axes.set_xticks([0.02, 0.1, 1.0], ["0.02", "0.1", "1"])
    places[0].set_title(
        f"(d) the slack of Proposition 7,\n      s² = {VARIANCE:g}; score: {SCORES[0]}"
    )
    places[0].set_ylabel("exponential sampler: nats")
    lines, names = places[0].get_legend_handles_labels()
    places[1].legend(lines[3:], names[3:], loc="lower right", handlelength=2.2)
    places[2].legend(lines[:3], names[:3], loc="lower right", handlelength=1.4)


def _best_steps(axes: Axes, record: Samplers) -> None:
    looks = {"mean": (BLUE, "o"), "plug-in": (VERMILION, "s")}
    notes = []
    for score, (colour, marker) in looks.items():
        own = [o for o in record.optima if o.score == score]
        exact = [o for o in own if o.quantity == "divergence"]
        kappas = np.array([o.kappa for o in exact])
        low = kappas - np.array([o.low for o in exact])
        high = np.array([min(o.high, 10.0) for o in exact]) - kappas
        axes.errorbar(
            [o.size for o in exact], kappas, [low, high], fmt=marker, color=colour, lw=0.8,
            capsize=1.5, label=f"least KL: {score} score",
        )  # fmt: skip
        bound = [o for o in own if o.quantity == "bound"]
        axes.plot(
            [o.size for o in bound], [o.kappa for o in bound], marker="v", ls="", color=colour,
            markerfacecolor="none", markeredgewidth=0.7, label=f"_bound {score}",
        )  # fmt: skip
        power = record.exponent(score)
        if power is not None:
            notes.append(f"{score}: $N^{{{power.value:.2f}}}$")
    sizes = sorted({o.size for o in record.optima})
    axes.set(xscale="log", yscale="log", xlabel="sample size N", ylabel="best step size κ*")
    axes.set_xlim(sizes[0] / 1.4, sizes[-1] * 1.4)
    low_end, high_end = axes.get_ylim()
    axes.set_ylim(low_end, high_end * 40)  # room for the legend
    axes.plot([], [], "v", color=GREY, markerfacecolor="none", label="least bound: the least tried")
    axes.legend(loc="upper right", handlelength=1.2)
    axes.set_title(f"(e) best κ, exponential, s² = {VARIANCE:g}:\n      {'; '.join(notes)}")


def _points(places: Sequence[Axes], record: Samplers) -> None:
    stop = max(row.stop for row in record.rows if row.part == "transport")
    titles = (f"(f) score of the points, ε = {stop:g}:\n      ", "\n      ")
    for axes, law, title in zip(places, LAWS, titles, strict=True):
        where = {"stop": stop, "law": law}
        rows = [record.curve("transport", "points", m, "divergence", **where) for m in METHODS]
        (exact,) = record.curve("transport", "points", EXACT, "divergence", **where)
        _curves(axes, rows, exact.value)
        for method in METHODS:
            gains = record.curve("transport", "points", method, "gain", **where)
            middle = 1 - np.array([row.value for row in gains]) / exact.value
            spread = np.array([row.error for row in gains]) / exact.value
            axes.fill_between(
                [row.kappa for row in gains], middle - spread, middle + spread,
                color=_LOOKS[method][0], alpha=0.15, lw=0,
            )  # fmt: skip
        axes.set_ylim(*_RATIO_ENDS)
        _ratio_ticks(axes, _RATIO_ENDS)
        axes.set_title(f"{title}{law} data")
        _note(axes, f"{exact.sets} data sets\n1: KL = {exact.value:.3f}")
    places[0].set_ylabel("mean KL / exact sampler's")
