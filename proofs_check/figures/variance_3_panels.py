"""The figure ``variance-3`` from its data: a column for each turn, a row for each denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from proofs_check.figures.drawing import style
from proofs_check.figures.variance_3 import COUNTS, FEATURES, SIZE, STEPS, TURNS, Shapes
from proofs_check.figures.variance_points import CELLS, EXACT, Setting
from proofs_check.figures.variance_regions import REACH, discs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE = (6.4, 6.5)  # inches
_LEFT, _BOTTOM, _STEP, _SIDE = 0.075, 0.045, (0.285, 0.3), (0.262, 0.258)
_ENDS = (1e-3, 10.0)
_LOOKS = {"mid-edge": "-", "mid-diagonal": "--"}
_NAMES = {"gaussian": "Gaussian features", "fourier": "Fourier features", EXACT: "exact score"}


def draw(record: Shapes) -> Figure:
    """Draw the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    unit = (2 * REACH / CELLS[2]) ** 2
    with style():
        figure = Figure(figsize=_SIZE)
        FigureCanvasAgg(figure)
        for i, name in enumerate((*FEATURES, EXACT)):
            for j, turn in enumerate(TURNS):
                bottom = _BOTTOM + (len(FEATURES) - i) * _STEP[1]
                axes = figure.add_axes((_LEFT + j * _STEP[0], bottom, *_SIDE))
                density = np.array(record.result(name, turn)["mean"]).T / unit
                image = axes.imshow(
                    np.maximum(density, _ENDS[0]), origin="lower", norm=LogNorm(*_ENDS),
                    extent=(-REACH, REACH, -REACH, REACH), cmap="magma", interpolation="nearest",
                    aspect="auto",
                )  # fmt: skip
                regions = discs(Setting("circle", turn).data)
                for region, line in _LOOKS.items():
                    centres, radius = regions[region]
                    for centre in centres:
                        at = (float(centre[0]), float(centre[1]))
                        look = {"fill": False, "ec": "white", "lw": 0.5, "ls": line, "alpha": 0.7}
                        axes.add_patch(Circle(at, radius, **look))
                axes.set(xticks=[-1, 0, 1] if i == len(FEATURES) else [])
                axes.set(yticks=[-1, 0, 1] if j == 0 else [])
                near = record.row(name, turn, "near mass")
                told = f"near {near.value:.3f}"
                if name != EXACT:
                    ratio = record.row(name, turn, "mid-edge / mid-diagonal")
                    told += f", edge/diag. {ratio.value:.2f} ± {ratio.error:.2f}"
                start = f"first point at {turn:g}π\n" if i == 0 else ""
                axes.set_title(f"{start}{told}", pad=2, fontsize=6)
                if j == 0:
                    axes.set_ylabel(_NAMES[name], labelpad=1)
        place = figure.add_axes((_LEFT + len(TURNS) * _STEP[0], _BOTTOM, 0.016, 0.858))
        figure.colorbar(image, cax=place)
        figure.text(
            _LEFT, 0.992, f"output density: mean over fits to P = {SIZE} draws with "
            f"{'×'.join(map(str, COUNTS))} features, after {STEPS} steps\n"
            "solid circles: mid-edge; dashed: mid-diagonal; near: mass within 0.2 of a point",
            va="top", fontsize=6.3,
        )  # fmt: skip
    return figure
