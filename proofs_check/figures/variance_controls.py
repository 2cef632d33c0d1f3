r"""The data of the figure ``variance-controls``: where the mass between the points comes from.

The mass of a region under the law that a fit ends in is that of p_ε (``smoothing``) and what each
change adds on the way to the fit, always for the same starts and draws:

    discretisation   the exact score and n Euler steps, for p_ε,
    misfit           the ridge regression of infinitely many draws, for the exact score,
    design           fits to P draws of the noise-free target E[X_0 | X_t], for that,
    noise            fits to the same draws of X_0 itself, for those.

The last is the paper's mechanism, the covariance of the proxy score; a telescoping sum depends on
its order, and this is the one in which each change needs the ones before.  Conditions are those of
Figures 2 and 3, and around one of them the number of steps, the ridge, the loss weight and the
features vary.  Source: vastola2025, Sections 5 and 6.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.variance_conditions import PLANS, STEPS, Condition, Plan, conditions
from proofs_check.figures.variance_points import (
    CLEAN,
    EXACT,
    LIMIT,
    NOISY,
    evaluate,
    level,
)
from proofs_check.figures.variance_regions import true_masses
from proofs_check.figures.variance_statistics import Finding, Mean, growth, mean_of, positive

Array = NDArray[np.float64]

REGIONS = {"line": ("gap",), "circle": ("near", "mid-edge", "mid-diagonal")}
PARTS = ("smoothing", "discretisation", "misfit", "design", "noise")
#: Probability with which an interval of the table misses; those of all findings together as well.
MISS = 1e-3


@dataclass(frozen=True, slots=True)
class Row:
    """One part of the mass of a region: a mean over fits, its standard error and interval.

    ``effective`` is the mean over fits of (Σλ)²/Σλ², λ the loss weights of the draws.
    """

    sweep: str
    turn: float
    features: str
    weight: str
    ridge: float
    stop: float
    size: int
    steps: int
    region: str
    part: str
    value: float
    error: float
    low: float
    high: float
    fits: int
    effective: float


@dataclass(frozen=True)
class Controls:
    """Everything that the figure shows: what the tasks found, by their keys."""

    plan: Plan
    found: Mapping[str, Any]
    effort: str
    seed: int

    def masses(self, condition: Condition, denoiser: str, steps: int, region: str) -> Array:
        """Return masses by fit; one number where every fit would have the same."""
        one = self.found[condition.task(denoiser, self.plan, self.seed).key]
        return np.array(one[str(steps)]["masses"][region])

    def parts(self, condition: Condition, steps: int, region: str) -> dict[str, Array]:
        """Return what each part has, by fit, and their sum as ``total``."""
        setting = condition.setting
        true = np.array([true_masses(setting.data, *level(setting.stop))[region]])
        chain = [true] + [
            self.masses(condition, denoiser, steps, region)
            for denoiser in (EXACT, LIMIT, CLEAN, NOISY)
        ]
        changes = [true] + [after - before for before, after in itertools.pairwise(chain)]
        return dict(zip((*PARTS, "total"), (*changes, chain[-1]), strict=True))

    def conditions(self, part: str) -> tuple[Condition, ...]:
        """Return the settings of one part."""
        return tuple(one for one in conditions(self.plan) if one.part == part)

    def effective(self, condition: Condition) -> float:
        """Return the mean effective number of draws."""
        task = condition.task(NOISY, self.plan, self.seed)
        return float(np.mean(self.found[task.key]["effective"]))

    @cached_property
    def _means(self) -> dict[tuple[Condition, int, str, str], Mean]:
        return {
            (one, steps, region, name): mean_of(values, MISS)
            for one in conditions(self.plan)
            for steps in one.steps
            for region in REGIONS[one.setting.atoms]
            for name, values in self.parts(one, steps, region).items()
        }

    def mean(self, condition: Condition, steps: int, region: str, part: str) -> Mean:
        """Return one part with its interval."""
        return self._means[condition, steps, region, part]

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Return every part of every mass."""
        found = []
        for (one, steps, region, part), mean in self._means.items():
            s, line = one.setting, one.setting.atoms == "line"
            fits = self.plan.fits if line else self.plan.plane_fits
            where = (one.part, s.turn, s.features, s.weight, s.ridge, s.stop, s.size, steps)
            numbers = (mean.value, mean.error, mean.low, mean.high)
            found.append(Row(*where, region, part, *numbers, fits, self.effective(one)))
        return tuple(found)

    def _curves(self, steps: int, series: str) -> dict[tuple[float, int], Array]:
        """Return vectors over fits by ε and P; ``noise-free`` is the total less its noise."""
        found = {}
        for one in self.conditions("grid"):
            parts = self.parts(one, steps, "gap")
            free = parts["total"] - parts["noise"]
            vector = free if series == "noise-free" else parts[series]
            found[one.setting.stop, one.setting.size] = vector
        return found

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Say which masses grow with ε and with F/P, and which parts are positive.

        All intervals hold together but for a probability of `MISS`, by Bonferroni.
        """
        stops, sizes = self.plan.stops, self.plan.sizes[::-1]
        growing, signs = ("total", "noise", "noise-free"), ("design", "noise")
        each = len(stops) * len(sizes)
        # With ends: of every curve one interval for each of its places.
        miss = MISS / (len(STEPS) * each * (2 * len(growing) + len(signs)))
        found: list[Finding] = []
        for steps in STEPS:
            for name in growing:
                at = self._curves(steps, name)
                label = f"{steps} steps, {_NAMES[name]}"
                by_stop = [[at[stop, size] for stop in stops] for size in sizes]
                by_size = [[at[stop, size] for size in sizes] for stop in stops]
                found += growth(label, "ε", by_stop, miss)
                found += growth(label, "F/P", by_size, miss)
            for name in signs:
                at = self._curves(steps, name)
                label = f"{steps} steps, {_NAMES[name]}"
                found.append(positive(label, list(at.values()), miss))
        return tuple(found)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file, one part in each."""
        return [field.name for field in fields(Row)], [list(asdict(r).values()) for r in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns of the rows, and the findings with their statuses and tallies."""
        columns = {f.name: np.array([getattr(r, f.name) for r in self.rows]) for f in fields(Row)}
        return {
            **columns,
            "finding": np.array([f"{one.series} {one.says}" for one in self.findings]),
            "finding_status": np.array([one.status.value for one in self.findings]),
            "finding_tally": np.array([one.tally for one in self.findings]),
            "effort": np.array(self.effort),
            "seed": np.array(str(self.seed)),
        }

    def summary(self) -> Sequence[str]:
        """Return the parts of every condition, and the findings, in lines."""
        lines = []
        for one in conditions(self.plan):
            for steps in one.steps:
                for region in REGIONS[one.setting.atoms]:
                    means = {
                        name: self.mean(one, steps, region, name) for name in (*PARTS, "total")
                    }
                    told = [f"{name} {m.value:.4f} ± {m.error:.4f}" for name, m in means.items()]
                    lines.append(f"{label_of(one)}, {steps} steps, {region}: {', '.join(told)}")
        return [*lines, *map(str, self.findings), *self._survival()]

    def _survival(self) -> Generator[str]:
        """Say of each trend of the paper what is left of it under the controls."""
        found = {(one.series, one.says): one.status for one in self.findings}
        few, many = STEPS
        for says in dict.fromkeys(one.says for one in self.findings if "than" in one.says):
            told = [
                f"{found[f'{steps} steps, {_NAMES[name]}', says]} {what}"
                for steps, name, what in (
                    (few, "total", f"for data targets and {few} steps (the paper's)"),
                    (many, "total", f"for {many} steps"),
                    (few, "noise-free", f"for noise-free targets and {few} steps"),
                    (many, "noise-free", f"for noise-free targets and {many} steps"),
                    (few, "noise", f"for the part of target noise at {few} steps"),
                    (many, "noise", f"for that part at {many} steps"),
                )
            ]
            yield f"gap mass {says}: {'; '.join(told)}"


_NAMES = {
    "total": "gap mass",
    "noise": "its part of target noise",
    "noise-free": "gap mass with noise-free targets",
    "design": "its part of the design",
}


def label_of(condition: Condition) -> str:
    """Say which condition it is."""
    setting = condition.setting
    place = f"turned {setting.turn:g}π, " if setting.atoms == "circle" else ""
    effect = {"ridge": f" ρ={setting.ridge:g}", "weight": f" λ: {setting.weight}"}
    what = f"{setting.features} F/P={setting.feature_count / setting.size:.3g} ε={setting.stop:g}"
    return f"{condition.part}: {place}{what}{effect.get(condition.part, '')}"


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> Controls:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        Of what the fits learn from, and of the starts in the plane.
    jobs
        Number of worker processes.
    advance
        Called with how much is done, of how much, and what came last.
    plan
        Instead of the effort's own.
    cache
        Where finished points are found and kept; the cache of the present code if None.

    Raises
    ------
    UsageError
        For an unknown effort, a negative seed, fewer than one job, or a cache that cannot be
        written.
    WorkerDied
        If a worker process was killed or ran out of memory.

    Examples
    --------
    >>> compute(effort="slow")
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: unknown effort 'slow': did you mean 'standard'? Known: ...
    """
    check_request(effort, seed, jobs)
    kept = open_cache("variance-controls") if cache is None else cache
    chosen = plan or PLANS[effort]
    tasks = {
        task.key: task
        for one in conditions(chosen)
        for task in (one.task(name, chosen, seed) for name in (NOISY, CLEAN, LIMIT, EXACT))
    }
    finish(list(tasks.values()), evaluate, kept, jobs=jobs, advance=advance)
    return Controls(chosen, {key: kept.known[key] for key in tasks}, effort, seed)
