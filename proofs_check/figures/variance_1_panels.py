"""The figure ``variance-1`` from its data: one row for each set of points, one column per time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from proofs_check.figures.drawing import style
from proofs_check.figures.variance_1 import REACH, SETS, TIMES, ProxyVariance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (7.2, 5.9)  # inches
_LEFT, _BOTTOM, _STEP, _SIDE = 0.07, 0.055, (0.17, 0.226), (0.155, 0.19)


def draw(record: ProxyVariance) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = {(one.points, one.time): one for one in record.panels()}
    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        for i, (name, points) in enumerate(SETS.items()):
            for j, time in enumerate(TIMES):
                left = _LEFT + j * _STEP[0]
                bottom = _BOTTOM + (len(SETS) - 1 - i) * _STEP[1]
                axes = figure.add_axes((left, bottom, *_SIDE))
                # Flat in vector formats too, no hairlines; x runs to the right.
                image = axes.imshow(
                    record.maps[i, j].T, origin="lower", extent=(-REACH, REACH, -REACH, REACH),
                    vmin=0.0, vmax=1.0, cmap="viridis", interpolation="nearest", aspect="auto",
                )  # fmt: skip
                noised = [[math.sqrt(1 - time) * one for one in point] for point in points]
                axes.plot(*zip(*noised, strict=True), ".", color="white", ms=2.5)
                axes.set(xticks=[-1, 0, 1] if i == len(SETS) - 1 else [])
                axes.set(yticks=[-1, 0, 1] if j == 0 else [])
                start = f"t = {time:g}: " if i == 0 else ""
                axes.set_title(f"{start}mean {panels[name, time].mean:.3f}", pad=2, fontsize=6.5)
                if j == 0:
                    axes.set_ylabel(name, labelpad=1)
        place = figure.add_axes((_LEFT + len(TIMES) * _STEP[0], _BOTTOM, 0.014, 0.87))
        figure.colorbar(image, cax=place, ticks=[0, 0.5, 1])
        figure.text(
            _LEFT, 0.985, r"share of noise in the proxy score, "
            r"$\mathrm{tr}\,C/(\mathrm{tr}\,C+|s|^2)$; dots: the points times μ",
            va="top",
        )  # fmt: skip
    return figure
