"""Figures of the theory: the data of each is computed apart from the drawing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from proofs_check.errors import one_of

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Called with how much is done, of how much, and what came last.
Advance = Callable[[int, int, str], None]


class Record(Protocol):
    """What a figure is drawn from, and what is written beside it."""

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file."""

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what the NPZ file holds."""

    def summary(self) -> Sequence[str]:
        """Return the lines that the command prints."""


@dataclass(frozen=True, slots=True)
class Builder:
    """How one figure is made: the modules are imported when they are needed."""

    data: str
    panels: str

    def compute(self, effort: str, seed: int, jobs: int, advance: Advance) -> Record:
        """Compute the data, finding again in the cache what an earlier run has finished."""
        found: Record = import_module(self.data).compute(
            effort=effort, seed=seed, jobs=jobs, advance=advance
        )
        return found

    def draw(self, record: Any) -> Figure:
        """Draw the data."""
        figure: Figure = import_module(self.panels).draw(record)
        return figure


FIGURES: Mapping[str, Builder] = {
    "denoising": Builder("proofs_check.figures.denoising", "proofs_check.figures.denoising_panels"),
    "toy": Builder("proofs_check.figures.toy", "proofs_check.figures.toy_panels"),
    "samplers": Builder("proofs_check.figures.samplers", "proofs_check.figures.samplers_panels"),
    "optimisation": Builder(
        "proofs_check.figures.optimisation", "proofs_check.figures.optimisation_panels"
    ),
    "variance-1": Builder(
        "proofs_check.figures.variance_1", "proofs_check.figures.variance_1_panels"
    ),
    "variance-2": Builder(
        "proofs_check.figures.variance_2", "proofs_check.figures.variance_2_panels"
    ),
    "variance-3": Builder(
        "proofs_check.figures.variance_3", "proofs_check.figures.variance_3_panels"
    ),
    "variance-controls": Builder(
        "proofs_check.figures.variance_controls", "proofs_check.figures.variance_controls_panels"
    ),
}


def builder_named(name: str) -> Builder:
    """Return the builder of a figure.

    Raises
    ------
    UsageError
        If there is none of that name; the message lists the figures.

    Examples
    --------
    >>> builder_named("denoising").data
    'proofs_check.figures.denoising'
    """
    return FIGURES[one_of("figure", name, FIGURES)]
