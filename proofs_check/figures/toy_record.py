"""Everything that the figure ``toy`` shows, its table, its arrays and its summary."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from proofs_check.figures.toy_curves import QUANTITIES, Curve, Sweep, Verdict, standard_error
from proofs_check.figures.toy_sentences import sentences

Array = NDArray[np.float64]

#: The early stopping times at which curves against κ are judged.
SHOWN = tuple(10.0 ** (-half / 2) for half in range(2, 7))

_HEAD = (
    "target",
    "size",
    "kappa",
    "eps",
    "steps",
    "horizon",
    "quantity",
    "mean",
    "standard_error",
    "data_sets",
)


@dataclass(frozen=True, slots=True)
class Parts:
    """D_κ and the prior divergence of a law on the line: no data set changes them."""

    target: str
    kappa: float
    eps: float
    discretisation: float
    prior: float


@dataclass(frozen=True, slots=True)
class Toy:
    """Everything that the figure shows."""

    sweeps: tuple[Sweep, ...]
    parts: tuple[Parts, ...]
    verdicts: tuple[Verdict, ...]
    effort: str
    seed: int

    def verdict(self, curve: Curve) -> Verdict:
        """Return what was found of a curve."""
        return next(
            verdict
            for verdict in self.verdicts
            if (verdict.target, verdict.size, verdict.quantity, verdict.variable, verdict.at)
            == (curve.target, curve.size, curve.quantity, curve.variable, curve.at)
        )

    def parts_of(self, sweep: Sweep, column: int) -> Parts | None:
        """Return the parts at a kept noise time of a sweep, if they were found."""
        for part in self.parts:
            same = (part.target, part.kappa) == (sweep.target, sweep.kappa)
            if same and sweep.column(part.eps) == column:
                return part
        return None

    def bound(self, sweep: Sweep, column: int) -> tuple[float, float] | None:
        """Return Proposition 7's bound, prior + (√E ℓ_sm + √D_κ)², and its standard error.

        It bounds the mean over data sets of KL(p_ε ‖ output); the error is that of E ℓ_sm, carried
        on to first order.
        """
        part = self.parts_of(sweep, column)
        if part is None:
            return None
        values = sweep.values["score_error"][:, column]
        mean, error = float(values.mean()), float(standard_error(values))
        roots = math.sqrt(mean) + math.sqrt(part.discretisation)
        return part.prior + roots**2, error * roots / math.sqrt(mean)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file."""
        return _HEAD, [row for sweep in self.sweeps for row in self._rows(sweep)]

    def _rows(self, sweep: Sweep) -> Generator[tuple[object, ...]]:
        for column, (eps, steps) in enumerate(zip(sweep.eps, sweep.steps, strict=True)):
            place = (sweep.target, sweep.size, sweep.kappa, float(eps), int(steps), sweep.horizon)
            for quantity in QUANTITIES:
                values = sweep.values.get(quantity)
                if values is None or np.isnan(values[:, column]).any():
                    continue
                one = values[:, column]
                yield *place, quantity, float(one.mean()), float(standard_error(one)), len(one)
            part, bound = self.parts_of(sweep, column), self.bound(sweep, column)
            if part is not None and bound is not None:
                yield *place, "discretisation", part.discretisation, 0.0, 0
                yield *place, "prior", part.prior, 0.0, 0
                yield *place, "bound", *bound, len(sweep.values["score_error"])

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return what every data set gave, ``law_Nsize_sPACE_…``, and the verdicts by column."""
        found: dict[str, NDArray[np.generic]] = {}
        for sweep in self.sweeps:
            name = f"{sweep.target}_N{sweep.size}_s{sweep.pace}"
            found[f"{name}_kappa"] = np.array(sweep.kappa)
            found[f"{name}_eps"], found[f"{name}_steps"] = sweep.eps, sweep.steps
            found |= {f"{name}_{quantity}": v for quantity, v in sweep.values.items()}
        for field in fields(Verdict):
            found[f"verdict_{field.name}"] = np.array(
                [getattr(v, field.name) for v in self.verdicts]
            )
        for field in fields(Parts):
            found[f"parts_{field.name}"] = np.array([getattr(p, field.name) for p in self.parts])
        return found | {"effort": np.array(self.effort), "seed": np.array(str(self.seed))}

    def summary(self) -> Sequence[str]:
        """Return the verdicts in words."""
        return sentences(self.verdicts)
