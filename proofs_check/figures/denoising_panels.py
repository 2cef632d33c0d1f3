"""The figure ``denoising`` from its data: six axes, the last three of them one map each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofs_check.figures.denoising import (
    LAWS,
    POINTS_OF_B,
    POINTS_OF_C,
    TIME,
    Denoising,
    Slope,
    bounded,
    sampled,
    stability_of,
)
from proofs_check.figures.denoising_points import Row
from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_SIZE = (7.2, 6.6)  # inches: the width of a page of two columns
# Left, bottom, width, height. Not left to a layout engine: its last bits differ from run to run,
# and with them the files.
_PLACES: dict[str, tuple[float, float, float, float]] = {
    "a": (0.075, 0.515, 0.41, 0.372),
    "b": (0.57, 0.515, 0.415, 0.372),
    "c": (0.075, 0.06, 0.185, 0.325),
    "d0": (0.35, 0.06, 0.165, 0.325),
    "d1": (0.545, 0.06, 0.165, 0.325),
    "d2": (0.74, 0.06, 0.165, 0.325),
    "bar": (0.925, 0.06, 0.012, 0.325),
}
_LOOKS = {"circle": (BLUE, "o"), "sphere": (VERMILION, "s"), "flat-torus": (GREEN, "^")}
_NAMES = {"circle": "circle, d*=1", "sphere": "sphere, d*=2", "flat-torus": "flat torus, d*=2"}
_ERRORS = 3  # standard errors to either side
_MAPS = (("best", "Proposition 6"), ("packing", "packing"), ("upper", "sharper"))
# Contours of the slack, and from which logarithm on the map is dark.
_RATIOS = (1.001, 1.01, 1.1, *(10.0**k for k in range(1, 13)))
_DARK = 2.5
_SHOWN = (0.02, 0.05, 0.1, 0.2, 0.5)
_EPS = r"$\varepsilon_{\mathrm{stab}}$"
_SIGMA = r"$\sigma_\varepsilon$"


def draw(record: Denoising) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        _sample_size(figure.add_axes(_PLACES["a"]), record)
        _early_stopping(figure.add_axes(_PLACES["b"]), record)
        _dimension(figure.add_axes(_PLACES["c"]), record)
        _slack(figure, record)
    return figure


def _roots(rows: Sequence[Row], column: Callable[[Row], float]) -> list[float]:
    return [math.sqrt(column(row)) for row in rows]


def _dots(axes: Axes, across: Sequence[float], rows: Sequence[Row], case: str) -> None:
    """Draw ε_stab with its errors: filled by the definition, open by the exchange identity."""
    colour, marker = _LOOKS[case]
    up = np.array(_roots(rows, stability_of))
    errors = _ERRORS * np.array([row.error for row in rows]) / (2 * up)
    errors = np.minimum(errors, 0.9 * up)  # a bar to zero has no end on this axis
    for how, face in (("definition", colour), ("exchange", "white")):
        mine = [i for i, row in enumerate(rows) if row.how == how]
        if mine:
            drawn = axes.errorbar(
                [across[i] for i in mine], up[mine], errors[mine],
                fmt=marker, color=colour, markerfacecolor=face, markeredgewidth=0.7,
                elinewidth=0.7, capsize=1.5, capthick=0.7, zorder=4,
            )  # fmt: skip
            drawn.set_label(f"_{case} {how}")


def _bounds(axes: Axes, across: Callable[[Row], float], record: Denoising, panel: str) -> None:
    for case, (colour, _) in _LOOKS.items():
        rows = bounded(record.of(panel, case))
        x = [across(row) for row in rows]
        for column, line in (("packing", "--"), ("best", ":")):
            y = _roots(rows, lambda row, name=column: getattr(row, name))  # type: ignore[misc]
            axes.plot(x, y, line, color=colour, lw=0.9, label=f"_{case} {column}")
        # by quadrature where there is one, otherwise sampled
        how = "exchange" if any(math.isnan(row.upper) for row in rows) else "bounds"
        known = sorted(record.of(panel, case, how), key=lambda row: (row.size, row.sigma))
        y = _roots(known, lambda row: row.upper)
        axes.plot([across(row) for row in known], y, color=colour, label=f"_{case} upper")


def _legend(axes: Axes, dots: bool) -> None:
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=colour, marker=marker if dots else "", label=_NAMES[case])
        for case, (colour, marker) in _LOOKS.items()
    ]
    lines = [
        Line2D([], [], color=GREY, ls=":", label="Proposition 6, best c"),
        Line2D([], [], color=GREY, ls="--", label="packing bound"),
        Line2D([], [], color=GREY, ls="-", label="sharper bound"),
    ]
    axes.legend(
        handles=marks + lines if dots else lines,
        loc="upper right",
        handlelength=2.2,
        ncols=2 if dots else 1,
    )


def _pick(record: Denoising, **wanted: str) -> list[Slope]:
    return [
        slope
        for slope in record.slopes
        if all(getattr(slope, name) == value for name, value in wanted.items())
    ]


def _sample_size(axes: Axes, record: Denoising) -> None:
    _bounds(axes, lambda row: row.size, record, "a")
    lines = []
    for case in LAWS:
        rows = sampled(record.of("a", case))
        _dots(axes, [row.size for row in rows], rows, case)
        for slope in _pick(record, panel="a", case=case, quantity="eps_stab", kind="fit"):
            lines.append(f"{case}: {_signed(slope)} from N = {slope.low:.0f} on")
    sigma = record.of("a")[0].sigma
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="sample size N",
        ylabel=f"{_EPS}  [1/length]",
    )
    axes.set_title(
        f"(a) {_EPS} falls like 1/N; Proposition 6 falls later\n"
        f"      and slower  (ε = {TIME}, {_SIGMA} = {sigma:.2g})"
    )
    best = _pick(record, panel="a", case="circle", quantity="best")
    if lines:
        lines = ["slopes ± 99 %, theory: −1", *lines]
    if best:
        last = best[-1]
        lines.append(
            f"Prop. 6, circle, last doubling: {_number(last.value)}, "
            f"theory for its c: {_number(last.predicted)}"
        )
    lines.append(f"filled: definition; open: exchange identity; bars: {_ERRORS} standard errors")
    _note(axes, lines)
    low, high = axes.get_ylim()
    axes.set_ylim(low / (high / low) ** 0.22, high * (high / low) ** 0.17)  # room for both notes
    _legend(axes, dots=True)


def _note(axes: Axes, lines: Sequence[str]) -> None:
    text = "\n".join(lines)
    axes.text(0.02, 0.02, text, transform=axes.transAxes, fontsize=6, va="bottom", zorder=6)


def _number(value: float, digits: int = 2) -> str:
    # no "−0.00"
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def _signed(slope: Slope) -> str:
    digits = 2 if slope.half_width >= 0.0095 else 3
    return f"{_number(slope.value, digits)} ± {slope.half_width:.{digits}f}"


def _early_stopping(axes: Axes, record: Denoising) -> None:
    _bounds(axes, lambda row: row.time, record, "b")
    lines = [f"exponents of {_SIGMA} ± 99 %, theory in brackets"]
    for case in LAWS:
        rows = sampled(record.of("b", case))
        _dots(axes, [row.time for row in rows], rows, case)
        found = [
            f"{_signed(slope)} ({_number(slope.predicted, 0)})"
            for slope in _pick(record, panel="b", case=case, quantity="eps_stab", kind="fit")
        ]
        if found:
            lines.append(f"{case}: {', '.join(found)}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="early stopping time ε (Ornstein–Uhlenbeck)",
        ylabel=f"{_EPS}  [1/length]",
    )
    axes.set_title(
        rf"(b) early blow-up: {_SIGMA}$^{{-2}}$ if the noise reaches no"
        "\n      neighbour, "
        rf"{_SIGMA}$^{{-1-d^*}}$ if it reaches many  (N = {POINTS_OF_B})"
    )
    above = axes.secondary_xaxis("top", functions=(_noise_at, _time_at))
    above.set_xlabel(f"noise level {_SIGMA}  [length]")
    _note(axes, lines)
    low, high = axes.get_ylim()
    axes.set_ylim(low / (high / low) ** 0.08, high)
    _legend(axes, dots=False)


def _noise_at(time: ArrayLike) -> Array:
    variance = -np.expm1(-2 * np.maximum(np.asarray(time, dtype=float), 1e-300))
    return np.asarray(np.sqrt(variance))


def _time_at(sigma: ArrayLike) -> Array:
    # the axis asks beyond its ends too
    inside = np.clip(np.asarray(sigma, dtype=float), 1e-150, 1 - 1e-9)
    return np.asarray(-np.log1p(-(inside**2)) / 2)


def _dimension(axes: Axes, record: Denoising) -> None:
    rows = sampled(record.of("c"))
    (exact,) = bounded(record.of("c"))
    low, high = math.sqrt(exact.lower), math.sqrt(exact.upper)
    axes.axhspan(low, high, color=GREY, alpha=0.25, lw=0, label="sandwich, no sampling")
    _dots(axes, [row.dimension for row in rows], rows, "circle")
    middle = (low + high) / 2
    axes.set(
        xscale="log",
        xlabel="dimension D of the space",
        ylabel=f"{_EPS}  [1/length]",
        ylim=(0.8 * middle, 1.2 * middle),
    )
    axes.set_title("(c) the dimension of the\n      space plays no part")
    notes = [f"circle in $\\mathbb{{R}}^D$, N = {POINTS_OF_C}, ε = {TIME}"]
    for slope in _pick(record, panel="c", kind="fit"):
        notes.append(f"slope {_signed(slope)} (theory 0)")
    _note(axes, notes)
    axes.legend(loc="upper right")


def _slack(figure: Figure, record: Denoising) -> None:
    rows = bounded(record.of("d"))
    across = np.unique([row.size for row in rows])
    up = np.unique([row.sigma for row in rows])
    shape = (len(across), len(up))  # rows come by size, then sigma
    largest = max(math.log10(row.best / row.lower) for row in rows)
    levels = np.arange(0, math.ceil(largest) + 0.01, 0.5)
    for place, (column, name) in enumerate(_MAPS):
        axes = figure.add_axes(_PLACES[f"d{place}"])
        ratio = [math.log10(getattr(row, column) / row.lower) for row in rows]
        grid = np.maximum(np.reshape(ratio, shape).T, 0.0)
        filled = axes.contourf(across, up, grid, levels=levels, cmap="cividis_r")
        filled.set_edgecolor("face")  # no hairlines between the bands in vector formats
        marked = [math.log10(r) for r in _RATIOS if min(ratio) < math.log10(r) < max(ratio)]
        if marked:
            inks = ["black" if level < _DARK else "white" for level in marked]
            lines = axes.contour(across, up, grid, levels=marked, colors=inks, linewidths=0.6)
            axes.clabel(lines, fmt=_power_of_ten, fontsize=6)
        axes.set(xscale="log", yscale="log", xlabel="sample size N")
        axes.set_xticks([1e1, 1e2, 1e3, 1e4])
        axes.set_yticks(_SHOWN, [str(sigma) for sigma in _SHOWN])
        axes.minorticks_off()
        if place == 0:
            axes.set_ylabel(f"noise level {_SIGMA}  [length]")
        else:
            axes.tick_params(labelleft=False)
        axes.set_title(f"{name}: {_span(ratio)}", fontsize=7, loc="center")
    bar = figure.colorbar(filled, cax=figure.add_axes(_PLACES["bar"]), ticks=levels[::2])
    bar.set_label(r"$\log_{10}$ (bound / $\varepsilon_{\mathrm{stab}}^2$)")
    title = rf"(d) circle: the bound of {_EPS}$^2$ is at most this many times too large"
    figure.text(0.3, 0.422, title, fontsize=7.5, va="bottom")


def _span(logarithms: Sequence[float]) -> str:
    low, high = (10**ends for ends in (min(logarithms), max(logarithms)))
    return f"{low:.2g} to {high:.2g}" if high < 100 else f"{_power(low)} to {_power(high)}"


def _power_of_ten(logarithm: float) -> str:
    return f"$10^{{{logarithm:.0f}}}$" if logarithm > 0.99 else f"{10**logarithm:.4g}"


def _power(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"$10^{{{math.log10(ratio):.1f}}}$"
