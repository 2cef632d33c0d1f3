"""The figure ``optimisation`` from its data: eight panels, some of several axes."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style
from proofs_check.figures.optimisation import COUPLINGS, CROSSING_SIZE, Optimisation, Row
from proofs_check.figures.optimisation_verdicts import CONFIDENCE, Slope

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ORANGE, _PURPLE = "#E69F00", "#CC79A7"
_FIGURE = (7.2, 7.6)  # inches: the width of a page of two columns
# Left, bottom, width, height; not left to a layout engine, whose last bits differ from run to run.
_PLACES: Mapping[str, tuple[float, float, float, float]] = {
    "a": (0.07, 0.715, 0.245, 0.21),
    "b": (0.395, 0.715, 0.245, 0.21),
    "c": (0.735, 0.715, 0.245, 0.21),
    "d0": (0.07, 0.507, 0.245, 0.092),
    "d1": (0.07, 0.395, 0.245, 0.092),
    "e0": (0.395, 0.395, 0.13, 0.205),
    "e1": (0.5467, 0.395, 0.13, 0.205),
    "e2": (0.6983, 0.395, 0.13, 0.205),
    "e3": (0.85, 0.395, 0.13, 0.205),
    "f": (0.07, 0.06, 0.245, 0.225),
    "g": (0.395, 0.06, 0.245, 0.225),
    "h": (0.735, 0.06, 0.245, 0.225),
}
_SIZE_COLOURS = (BLUE, GREEN, _ORANGE, VERMILION, _PURPLE, GREY)
_LOOKS = {COUPLINGS[0]: (BLUE, "o", "-"), COUPLINGS[1]: (VERMILION, "s", "--")}
_SHORT = {COUPLINGS[0]: "synchronous", COUPLINGS[1]: "reflection–maximal"}
_SQUARE = (
    r"$\varepsilon^2 = \mathbb{E}\!\int|\hat s-\hat s^{\,i}|^2 d\tau$ at the noised $\tilde x$"
)
_X = r"$C^2/(\lambda\eta s^2)$"
# Distances below are drawn there: the pair has met.
_MET = 1e-4
_EFFECTS = {"P": "redraws P", "B": "batch size B", "C": "clip C", "lambda": "weight decay λ"}


def draw(record: Optimisation) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=_FIGURE)
        FigureCanvasAgg(figure)
        axes = {name: figure.add_axes(place) for name, place in _PLACES.items()}
        _against_steps(axes["a"], axes["b"], record)
        _against_size(axes["c"], record)
        _paths((axes["d0"], axes["d1"]), record)
        _effects([axes[f"e{i}"] for i in range(4)], record)
        _minibatch(axes["f"], record)
        _rates(axes["g"], record)
        _crossings(axes["h"], record)
        figure.text(
            0.03, 0.977, f"Two wells, clipped SGD with weight decay; {_SQUARE}, Ornstein–Uhlenbeck "
            f"time 3/10; bars, bands: {100 * CONFIDENCE:g} % each, asymptotic", fontsize=6.3,
        )  # fmt: skip
    return figure


def _roots(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return where, the roots of the values above 0, and of the ends of their intervals."""
    shown = [row for row in rows if row.value > 0]
    columns = ([row.x for row in shown], *([getattr(r, n) for r in shown] for n in _ENDS))
    where, *values = (np.array(column, dtype=np.float64) for column in columns)
    value, low, high = (np.sqrt(column) for column in values)
    return where, value, low, high


_ENDS = ("value", "low", "high")


def _curve(axes: Axes, rows: Sequence[Row], colour: str, line: str, label: str) -> None:
    axes.plot(*_roots(rows)[:2], line, color=colour, lw=0.9, label=label)


def _points(axes: Axes, rows: Sequence[Row], colour: str, mark: str, line: str, label: str) -> None:
    where, value, low, high = _roots(rows)
    axes.errorbar(
        where, value, (value - low, high - value), fmt=mark + line, color=colour, markersize=2.4,
        lw=0.9, elinewidth=0.7, capsize=1.4, capthick=0.6, label=label,
    )  # fmt: skip


def _level(axes: Axes, record: Optimisation, panel: str) -> float:
    """Draw the largest change of the score as a level, and return it."""
    level = math.sqrt(max(row.value for row in record.of(panel, "trivial")))
    axes.axhline(level, color=GREY, lw=0.7, ls=(0, (1, 1)), label="Λ·2R")
    return level


def _against_steps(left: Axes, right: Axes, record: Optimisation) -> None:
    sizes = list(dict.fromkeys(row.size for row in record.of("steps", "trivial")))
    for axes, coupling in zip((left, right), COUPLINGS, strict=True):
        for size, colour in zip(sizes, _SIZE_COLOURS, strict=False):
            rows = record.of("steps", coupling, size=size)
            where, value, low, high = _roots(rows)
            axes.plot(where, value, color=colour, label=f"N = {size}")
            axes.fill_between(where, low, high, color=colour, alpha=0.25, lw=0)
    top = _level(left, record, "steps")
    _level(right, record, "steps")
    for size, colour in zip(sizes, _SIZE_COLOURS, strict=False):
        plain, full = (
            record.of("steps", name, size=size)
            for name in ("proposition-11", "proposition-11-saturated")
        )
        low_ones = [row for row in plain if row.value <= (1.6 * top) ** 2]
        _curve(left, low_ones, colour, "--", "_11")
        _curve(left, full, colour, ":", "_11 saturated")
        _curve(right, record.of("steps", "proposition-14", size=size), colour, "--", "_14")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="number of steps K, mean over (K/2, K]")
        axes.set_ylim(1.5e-3, 2.2e2)
    left.set_ylabel("ε")
    left.set_title("(a) synchronous; bounds: -- Prop. 11,\n      ·· its saturated form, grey Λ·2R")
    right.set_title("(b) reflection–maximal;\n      bound: -- Prop. 14")
    for axes in (left, right):
        _legend(axes, columns=2)


def _slope(record: Optimisation, coupling: str) -> Slope:
    return next(s for s in record.slopes if (s.variable, s.coupling) == ("N", coupling))


def _against_size(axes: Axes, record: Optimisation) -> None:
    steps = max(row.steps for row in record.of("steps", "trivial"))

    def rows(kind: str) -> list[Row]:
        found = record.of("steps", kind, steps=steps)
        return [replace(row, x=float(row.size)) for row in found]

    for coupling in COUPLINGS:
        colour, mark, line = _LOOKS[coupling]
        slope = _slope(record, coupling)
        half = (slope.high - slope.low) / 2
        label = f"{_SHORT[coupling]}: {slope.value:.3f} ± {half:.2g}"
        _points(axes, rows(coupling), colour, mark, line, label)
    _curve(axes, rows("proposition-11-saturated"), BLUE, ":", "Prop. 11, saturated")
    _curve(axes, rows("proposition-14"), VERMILION, ":", "Prop. 14")
    _level(axes, record, "steps")
    axes.set(xscale="log", yscale="log", xlabel="sample size N", ylabel="ε")
    sizes = sorted({row.size for row in record.of("steps", "trivial")})
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.set_ylim(1.5e-3, 2.2e3)
    axes.set_title(f"(c) at K = {steps}, slopes in N;\n      plain Prop. 11 is off the scale")
    _legend(axes)


def _paths(places: Sequence[Axes], record: Optimisation) -> None:
    for axes, coupling in zip(places, COUPLINGS, strict=True):
        distances = record.paths[coupling]
        for row, colour in zip(distances, _SIZE_COLOURS, strict=False):
            shown = np.maximum(row, _MET)
            axes.plot(np.arange(len(row)), shown, color=colour, lw=0.8, drawstyle="steps-post")
        axes.set(yscale="log", ylim=(_MET / 2, 60.0))
        axes.set_yticks([_MET, 1e-2, 1.0], ["met", "0.01", "1"])
        axes.minorticks_off()
        axes.set_ylabel("|Δ|")
        apart = float(np.mean(distances > 0))
        axes.text(
            0.99, 0.98, f"{_SHORT[coupling]}: apart {100 * apart:.0f} % of steps",
            transform=axes.transAxes, fontsize=5.6, ha="right", va="top",
        )  # fmt: skip
    places[0].tick_params(labelbottom=False)
    places[1].set_xlabel("step")
    places[0].set_title("(d) distance of a few pairs, N = 20")


def _effects(places: Sequence[Axes], record: Optimisation) -> None:
    for axes, (variable, name) in zip(places, _EFFECTS.items(), strict=True):
        for coupling in COUPLINGS:
            colour, mark, line = _LOOKS[coupling]
            for clipping, filled in (("whole", line), ("per-sample", "-.")):
                rows = record.of("effects", coupling, variable=variable, clipping=clipping)
                if rows:
                    tone = colour if clipping == "whole" else {BLUE: GREEN}.get(colour, _ORANGE)
                    _points(axes, rows, tone, mark, filled, f"_{coupling}")
        for kind, tone in (("proposition-14", VERMILION), ("proposition-14-per-sample", _ORANGE)):
            _curve(axes, record.of("effects", kind, variable=variable), tone, ":", f"_{kind}")
        _curve(
            axes,
            record.of("effects", "trivial", variable=variable, clipping="whole"),
            GREY,
            ":",
            "_trivial",
        )
        axes.set(xscale="log", yscale="log", xlabel=name, ylim=(2e-3, 60.0))
        ticks = _apart({row.x for row in record.of("effects", "trivial", variable=variable)})
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.minorticks_off()
        if axes is not places[0]:
            axes.tick_params(labelleft=False)
    places[0].set_ylabel("ε")
    places[0].set_title("(e) around N = 100, B = 4, K = 256; dotted: Prop. 14, Λ·2R (grey)")
    _effect_legend(places[0], places[1])


def _apart(places: Collection[float]) -> list[float]:
    """Return those places whose labels have room on a narrow logarithmic axis."""
    kept: list[float] = []
    room = 0.24 * math.log(max(places) / min(places))
    for x in sorted(places):
        if not kept or math.log(x / kept[-1]) >= room:
            kept.append(x)
    return kept


def _effect_legend(left: Axes, right: Axes) -> None:
    from matplotlib.lines import Line2D

    def entry(colour: str, mark: str, line: str, label: str) -> Line2D:
        return Line2D([], [], color=colour, marker=mark, ls=line, markersize=2.4, label=label)

    left.legend(
        handles=[
            entry(_LOOKS[c][0], _LOOKS[c][1], _LOOKS[c][2], _SHORT[c].replace("–maximal", ""))
            for c in COUPLINGS
        ],
        loc=(0.0, 0.46),
        fontsize=5.2,
        handlelength=2,
    )
    right.legend(
        handles=[entry(GREEN, "o", "-.", "per-sample"), entry(_ORANGE, "s", "-.", "per-sample")],
        loc=(0.0, 0.46),
        fontsize=5.2,
        handlelength=2,
    )


def _minibatch(axes: Axes, record: Optimisation) -> None:
    for kind, colour, mark, line, label in (
        ("synchronous", BLUE, "o", "-", "synchronous"),
        ("infimum", GREEN, "^", "-", "quantiles matched"),
        ("floor", GREY, "v", ":", "same, two halves on S"),
    ):
        _points(axes, record.of("minibatch", kind), colour, mark, line, label)
    bounds = record.of("minibatch", "proposition-14")
    where, value, _, _ = _roots(bounds)
    axes.plot(where, value, "s--", color=VERMILION, markersize=2.8, label="Prop. 14 at that s")
    level = _level(axes, record, "minibatch")
    axes.set(xscale="log", yscale="log", xlabel="batch size B (below: s)", ylabel="ε")
    # Where there is no bound, a mark at the top says so.
    top = 1e7
    lost = [row.x for row in bounds if math.isnan(row.value)]
    axes.plot(lost, [3e3] * len(lost), "x", color=VERMILION, markersize=4, label="no bound")
    axes.set_ylim(min(5e-3, level), top)
    axes.set_xticks([row.x for row in bounds], [f"{row.batch}\n{row.noise:.2g}" for row in bounds])
    axes.minorticks_off()
    eta, size = bounds[0].step_size, bounds[0].size
    axes.set_title(f"(f) minibatch noise alone,\n      N = {size}, η = {eta:g}, C = λ = 1")
    _legend(axes)


def _rates(axes: Axes, record: Optimisation) -> None:
    etas = list(dict.fromkeys(row.step_size for row in record.of("rates", "low")))
    for eta, colour, mark in zip(etas, (BLUE, GREEN, _PURPLE), ("o", "^", "D"), strict=False):
        rows = sorted(record.of("rates", "low", step_size=eta), key=lambda row: row.x)
        label = f"best f, ρ/η, η = {eta:g}"
        values = [row.value for row in rows]
        axes.plot([row.x for row in rows], values, mark + "-", color=colour, ms=2.6, label=label)
    theirs = sorted(record.of("rates", "eberle", step_size=etas[0]), key=lambda row: row.x)
    across = np.array([row.x for row in theirs])
    axes.plot(
        across, [row.value for row in theirs], "s--", color=VERMILION, ms=2.6,
        label=r"Eberle's c, $\sigma = s\sqrt{\eta}$",
    )  # fmt: skip
    fine = np.linspace(across[0], across[-1], 50)
    axes.plot(fine, np.exp(-fine), ":", color=GREY, label=f"exp(−{_X})")
    axes.set(yscale="log", xlabel=_X, ylabel="rate per unit of time ηk")
    low, high = axes.get_ylim()
    axes.set_ylim(low / 3, high * 10)
    axes.set_title("(g) contraction rates, C = λ = 1")
    _legend(axes)


def _crossings(axes: Axes, record: Optimisation) -> None:
    etas = list(dict.fromkeys(row.step_size for row in record.of("rates", "low")))
    for eta, colour, mark in zip(etas, (BLUE, GREEN, _PURPLE), ("o", "^", "D"), strict=False):
        for kind, line, name in (("crossing", "-", "11"), ("saturated", ":", "11, saturated")):
            rows = sorted(record.of("rates", kind, step_size=eta), key=lambda row: row.x)
            axes.plot(
                [row.x for row in rows], [row.value for row in rows], mark + line, color=colour,
                ms=2.6, label=f"Prop. {name}, η = {eta:g}",
                fillstyle="full" if line == "-" else "none",
            )  # fmt: skip
    axes.set(yscale="log", xlabel=_X, ylabel="steps K*")
    axes.set_yticks([5, 10, 20, 50, 100], ["5", "10", "20", "50", "100"])
    axes.minorticks_off()
    axes.set_ylim(3, 150)
    axes.set_title(f"(h) from K* on Prop. 14 is the\n      smaller bound, N = {CROSSING_SIZE}")
    _legend(axes)


def _legend(axes: Axes, columns: int = 1) -> None:
    axes.legend(
        loc="upper right", ncols=columns, fontsize=5.4, handlelength=1.8, columnspacing=0.8,
        borderaxespad=0.1, labelspacing=0.25,
    )  # fmt: skip
