"""The figure ``variance-2`` from its data: one row for each ε, one column for each P."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from proofs_check.figures.drawing import BLUE, GREEN, GREY, VERMILION, style
from proofs_check.figures.variance_2 import MORE_STEPS, STEPS, GapMass
from proofs_check.figures.variance_points import CELLS, NOISY
from proofs_check.figures.variance_regions import GAP, REACH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (7.2, 4.6)  # inches
_LEFT, _RIGHT, _BOTTOM, _TOP, _GAP = 0.07, 0.99, 0.085, 0.93, 0.008
# Densities: below, a mean over 100 fits has little to say.
_ENDS = (2e-3, 30.0)


def draw(record: GapMass) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    plan = record.plan
    across = np.linspace(-REACH, REACH, CELLS[1] + 1)
    unit = across[1] - across[0]
    width = (_RIGHT - _LEFT) / len(plan.sizes)
    height = (_TOP - _BOTTOM - 0.03) / len(plan.stops)
    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        # The first row has room for its titles of two lines.
        for i, stop in enumerate(plan.stops):
            for j, size in enumerate(plan.sizes):
                bottom = _BOTTOM + (len(plan.stops) - 1 - i) * height
                place = (_LEFT + j * width, bottom, width - _GAP, height - 0.045)
                axes = figure.add_axes(place)
                fitted = record.fitted(stop, size)
                axes.axvspan(*GAP, color="#eeeeee", lw=0, zorder=0)
                axes.axvspan(-GAP[1], -GAP[0], color="#eeeeee", lw=0, zorder=0)

                axes.stairs(
                    np.array(fitted["high"]) / unit, across,
                    baseline=np.array(fitted["low"]) / unit, fill=True, color=BLUE, alpha=0.25,
                    lw=0, label="quartiles over fits",
                )  # fmt: skip
                curves: list[tuple[Any, str, str, str]] = [
                    (record.true_map(stop), GREY, "-", r"$p_\varepsilon$"),
                    (record.exact(stop, STEPS)["mean"], VERMILION, "-", f"exact, {STEPS} steps"),
                    (
                        record.exact(stop, MORE_STEPS)["mean"],
                        GREEN,
                        ":",
                        f"exact, {MORE_STEPS} steps",
                    ),
                    (fitted["mean"], BLUE, "-", f"mean over fits, {STEPS} steps"),
                ]
                for cells, colour, line, label in curves:
                    heights = np.maximum(np.asarray(cells) / unit, 1e-9)
                    axes.stairs(heights, across, color=colour, ls=line, label=label, lw=0.9)
                axes.set(yscale="log", xlim=(-REACH, REACH), ylim=_ENDS)
                axes.set(xticks=[-1, 0, 1], yticks=[1e-2, 1e-1, 1, 10])
                axes.minorticks_off()
                if i < len(plan.stops) - 1:
                    axes.set_xticklabels([])
                else:
                    axes.set_xlabel("x", labelpad=1)
                if j > 0:
                    axes.set_yticklabels([])
                else:
                    axes.set_ylabel(f"density, ε = {stop:g}")
                gap = record.row(NOISY, stop, "gap", size=size, steps=STEPS)
                start = f"P = {size}, F/P = {gap.ratio:.3g}\n" if i == 0 else ""
                axes.set_title(f"{start}gap {gap.value:.3f} ± {gap.error:.3f}", pad=2, fontsize=6.5)
        lines, names = axes.get_legend_handles_labels()
        figure.legend(lines, names, loc="upper center", ncols=len(lines), handlelength=1.6)
    return figure
