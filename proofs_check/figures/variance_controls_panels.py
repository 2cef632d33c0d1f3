"""The figure ``variance-controls`` from its data: stacked parts of masses, and their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style
from proofs_check.figures.variance_conditions import MANY_STEPS, STEPS, Condition
from proofs_check.figures.variance_controls import PARTS, Controls

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = (7.2, 8.6)  # inches: a page
_ORANGE = "#E69F00"
_COLOURS = dict(zip(PARTS, ("black", GREY, _ORANGE, GREEN, BLUE), strict=True))
_LABELS = {
    "smoothing": r"smoothing, $p_\varepsilon$", "discretisation": "discretisation",
    "misfit": "misfit of the limit", "design": "finite design", "noise": "target noise",
}  # fmt: skip
_STOPS = (VERMILION, GREEN, BLUE, _ORANGE)
_LEFT, _WIDTH, _ACROSS = (0.075, 0.565), 0.42, 0.925
_BOTTOMS, _HEIGHT = (0.79, 0.555, 0.315, 0.06), 0.155
#: A bar: its condition, number of steps, and label below.
_Bar = tuple[Condition, int, str]


def draw(record: Controls) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        above, parts = (
            [figure.add_axes((left, bottom, _WIDTH, _HEIGHT)) for left in _LEFT]
            for bottom in _BOTTOMS[:2]
        )
        _grid(above, record)
        _intervals(parts, record)
        _sweeps(figure.add_axes((_LEFT[0], _BOTTOMS[2], _ACROSS - 0.015, _HEIGHT)), record)
        _plane(figure.add_axes((_LEFT[0], _BOTTOMS[3], _ACROSS - 0.015, _HEIGHT)), record)
        handles, names = above[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="upper center", ncols=len(names), handlelength=1.2)
    return figure


def _stack(
    axes: Axes, record: Controls, bars: Sequence[_Bar], places: Sequence[float], region: str
) -> None:
    """Draw bars of parts, up and down from 0, and the total with its interval."""
    up, down = np.zeros(len(bars)), np.zeros(len(bars))
    for part in PARTS:
        values = np.array([record.mean(one, n, region, part).value for one, n, _ in bars])
        base = np.where(values >= 0.0, up, down)
        axes.bar(
            places, values, 0.8, bottom=base, color=_COLOURS[part], lw=0, label=_LABELS[part]
        )  # fmt: skip
        up, down = up + np.maximum(values, 0.0), down + np.minimum(values, 0.0)
    totals = [record.mean(one, n, region, "total") for one, n, _ in bars]
    reach = [[one.value - one.low for one in totals], [one.high - one.value for one in totals]]
    axes.errorbar(
        places, [one.value for one in totals], reach, fmt="D", color="black", ms=2.2, lw=0.8,
        capsize=1.5, label="all, 99.9 % interval",
    )  # fmt: skip
    axes.axhline(0.0, color="black", lw=0.5)
    axes.set_xticks(list(places), [text for _, _, text in bars])
    axes.tick_params(axis="x", length=0, labelsize=5.5)


def _grid(places: Sequence[Axes], record: Controls) -> None:
    conditions = record.conditions("grid")
    count = len(record.plan.sizes)
    for axes, steps, letter in zip(places, STEPS, "ab", strict=True):
        bars = [
            (one, steps, _fraction(one.setting.feature_count, one.setting.size))
            for one in conditions
        ]
        at = [i + 0.8 * (i // count) for i in range(len(bars))]
        _stack(axes, record, bars, at, "gap")
        for k, stop in enumerate(record.plan.stops):
            middle = k * (count + 0.8) + (count - 1) / 2
            axes.annotate(
                f"ε = {stop:g}", (middle, 0), (0, -18), xycoords=("data", "axes fraction"),
                textcoords="offset points", ha="center", fontsize=6,
            )  # fmt: skip
        axes.set_title(f"({letter}) mass of 0.3 < |x| < 0.7 after {steps} steps, by F/P")
    _same_height(places)


def _intervals(places: Sequence[Axes], record: Controls) -> None:
    for axes, steps, letter in zip(places, STEPS, "cd", strict=True):
        for part, shape, look in (("noise", "o", "-"), ("design", "s", ":")):
            for k, stop in enumerate(record.plan.stops):
                own = [c for c in record.conditions("grid") if c.setting.stop == stop]
                means = [record.mean(one, steps, "gap", part) for one in own]
                shift = 1.05 ** (k - 1) * (1.0 if part == "noise" else 1.02)
                across = [shift * c.setting.feature_count / c.setting.size for c in own]
                middle = [one.value for one in means]
                reach = [[m.value - m.low for m in means], [m.high - m.value for m in means]]
                axes.errorbar(
                    across, middle, reach, fmt=f"{shape}{look}", color=_STOPS[k % len(_STOPS)],
                    lw=0.8, capsize=1.5, ms=2.5, label=f"{_LABELS[part]}, ε = {stop:g}",
                )  # fmt: skip
        axes.axhline(0.0, color="black", lw=0.5)
        axes.set(xscale="log", xlabel="F/P")
        ratios = sorted(256 / size for size in record.plan.sizes)
        axes.minorticks_off()
        axes.set_xticks(ratios, [f"{one:.3g}" for one in ratios])
        axes.set_title(f"({letter}) parts with 99.9 % intervals, {steps} steps")
    _same_height(places)
    low, high = places[0].get_ylim()
    places[0].set_ylim(low, high + 0.45 * (high - low))
    places[1].set_ylim(low, high + 0.45 * (high - low))
    places[0].legend(loc="upper left", ncols=2, handlelength=1.6, fontsize=5.5)


def _sweeps(axes: Axes, record: Controls) -> None:
    (over,) = record.conditions("steps")
    bars: list[_Bar] = [(over, n, f"n={n}" if n == MANY_STEPS[0] else f"{n}") for n in MANY_STEPS]
    groups = [len(bars)]
    below: list[str] = []
    for part in ("ridge", "weight", "features"):
        own = record.conditions(part)
        names = {
            "ridge": [f"ρ={one.setting.ridge:g}" for one in own],
            "weight": [_WEIGHTS[one.setting.weight] for one in own],
            "features": [_FEATURES[one.setting.features] for one in own],
        }[part]
        for one, name in zip(own, names, strict=True):
            bars += [(one, steps, f"{steps}") for steps in STEPS]
            below.append(name)
        groups.append(2 * len(own))
    places = _spread(groups)
    _stack(axes, record, bars, places, "gap")
    _below(axes, below, places[groups[0] :])
    base = over.setting
    axes.set_title(
        f"(e) the same mass at ε = {base.stop:g}, F/P = {base.feature_count / base.size:g}: number"
        f" of steps n; ridge, loss weight and features, at {STEPS[0]} and {STEPS[1]} steps"
    )


_WEIGHTS = {"signal-to-noise": "μ²/σ²", "one": "λ=1", "signal": "μ²"}
_FEATURES = {"gaussian": "Gauss", "fourier": "Fourier", "fourier-distinct": "F., 2L"}


def _plane(axes: Axes, record: Controls) -> None:
    own = record.conditions("plane")
    groups = []
    at: list[float] = []
    for k, region in enumerate(("mid-edge", "mid-diagonal")):
        bars = [(one, steps, f"{steps}") for one in own for steps in STEPS]
        places = [k * (len(bars) + 1.5) + place for place in range(len(bars))]
        _stack(axes, record, bars, places, region)
        names = [f"{_FEATURES[c.setting.features]}\n{c.setting.turn:g}π" for c in own]
        _below(axes, names, places)
        at += places
        groups += [text for _, _, text in bars]
    axes.set_xticks(at, groups)
    axes.set_title(
        "(f) four points of the circle, P = 500: mass of the discs mid-edge (left) and"
        " mid-diagonal (right), by features, turn and steps"
    )


def _fraction(count: int, size: int) -> str:
    """Return F/P, short."""
    return f"{count / size:.3g}" if count >= size else f"1/{size / count:.3g}"


def _below(axes: Axes, names: Sequence[str], places: Sequence[float]) -> None:
    """Write names below the labels of two bars each."""
    for name, first, second in zip(names, places[::2], places[1::2], strict=True):
        axes.annotate(
            name, (0.5 * (first + second), 0), (0, -11), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="top", fontsize=5.5,
        )  # fmt: skip


def _spread(groups: Sequence[int]) -> list[float]:
    """Return places of bars, with room between groups."""
    found: list[float] = []
    for k, count in enumerate(groups):
        start = found[-1] + 1.8 if k else 0.0
        found += [start + i for i in range(count)]
    return found


def _same_height(places: Sequence[Axes]) -> None:
    ends = [axes.get_ylim() for axes in places]
    for axes in places:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
