"""The data of the figure ``samplers``: which sampler regularises most, what Proposition 7 loses.

A sampler regularises where its output is nearer to the noised data law than the noised estimate
is, which is what the exact sampler ends in. Parts: ``kappa``, five samplers against the step size
for Gaussian data; ``map``, against the variance too; ``size``, the best step size; ``transport``,
the score of the points themselves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from numerics.gaussian_samplers import METHODS, SCORES
from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.samplers_points import (
    EXACT,
    LAWS,
    Row,
    Task,
    evaluate,
    rows_of,
    step_counts,
    variance_of,
)
from proofs_check.figures.slopes import Exponent, fitted_exponent

#: s² of the Gaussian laws of part ``kappa``, and that of the best step sizes.
VARIANCES = (0.25, 1.0, 4.0)
VARIANCE = 4.0
#: Training points, and ε of the closed forms.
SIZE = 40
STOP = 0.01
#: Where the slack of Proposition 7 is summed up in a line.
TYPICAL = 0.1
#: Up to here samplers are compared over the map: the exponential one blows up from ln 3 on.
MODERATE = 0.4
#: From this many points on the best step size is a power of N.
_MANY = 100
_TERMS = ("prior_divergence", "score_error", "discretisation_error", "step_fisher")
#: What bounds the exponential sampler's divergence, in the order of the proof.
BOUNDS = ("path_divergence", "sharper_bound", "bound")


def _log_range(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{x:.4g}") for x in np.geomspace(low, high, count))


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed.

    ``stops`` are the ε of the score of the points, for which there are ``data_sets`` data sets.
    """

    kappas: tuple[float, ...]
    map_kappas: tuple[float, ...]
    map_variances: tuple[float, ...]
    sizes: tuple[int, ...]
    size_kappas: tuple[float, ...]
    stops: tuple[float, ...]
    point_kappas: tuple[float, ...]
    data_sets: int


PLANS: Mapping[str, Plan] = {
    "quick": Plan(
        kappas=_log_range(0.02, 1.15, 10),
        map_kappas=_log_range(0.03, 1.15, 8),
        map_variances=_log_range(1 / 16, 16, 7),
        sizes=(10, 40, 200, 1000),
        size_kappas=_log_range(0.001, 1.15, 32),
        stops=(0.1,),
        point_kappas=_log_range(0.06, 1.15, 5),
        data_sets=2,
    ),
    "standard": Plan(
        kappas=_log_range(0.02, 1.15, 24),
        map_kappas=_log_range(0.03, 1.15, 18),
        map_variances=_log_range(1 / 16, 16, 17),
        sizes=(10, 20, 40, 100, 200, 400, 1000),
        size_kappas=_log_range(0.001, 1.15, 80),
        stops=(0.1, 0.02),
        point_kappas=_log_range(0.08, 1.15, 8),
        data_sets=20,
    ),
    "deep": Plan(
        kappas=_log_range(0.01, 1.15, 48),
        map_kappas=_log_range(0.02, 1.15, 36),
        map_variances=_log_range(1 / 16, 16, 33),
        sizes=(10, 20, 40, 70, 100, 200, 400, 700, 1000, 2000),
        size_kappas=_log_range(0.0005, 1.15, 160),
        stops=(0.1, 0.05, 0.02, 0.01),
        point_kappas=_log_range(0.04, 1.15, 12),
        data_sets=100,
    ),
}


@dataclass(frozen=True, slots=True)
class Optimum:
    """The step size of least ``quantity``, and its neighbours; ``low`` is 0 at the least tried."""

    variance: float
    score: str
    size: int
    method: str
    quantity: str
    kappa: float
    low: float
    high: float
    value: float


@dataclass(frozen=True)
class Samplers:
    """Everything that the figure shows."""

    rows: tuple[Row, ...]
    effort: str
    seed: int

    @cached_property
    def _by_curve(self) -> dict[tuple[str, str, str, str], list[Row]]:
        found: dict[tuple[str, str, str, str], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.part, row.score, row.method, row.quantity), []).append(row)
        return found

    def curve(
        self, part: str, score: str, method: str, quantity: str, **where: object
    ) -> tuple[Row, ...]:
        """Return the rows with these entries, by increasing κ."""
        found = self._by_curve.get((part, score, method, quantity), [])
        chosen = (r for r in found if all(getattr(r, k) == v for k, v in where.items()))
        return tuple(sorted(chosen, key=lambda row: (row.kappa, row.size)))

    def exact(self, part: str, score: str, **where: object) -> float:
        """Return the divergence that the exact sampler leaves."""
        return self.curve(part, score, EXACT, "divergence", **where)[0].value

    def optimum(
        self, part: str, score: str, quantity: str, method: str, **where: object
    ) -> Optimum:
        """Return the best step size for a quantity."""
        rows = self.curve(part, score, method, quantity, **where)
        at = min(range(len(rows)), key=lambda i: rows[i].value)
        best = rows[at]
        low = rows[at - 1].kappa if at > 0 else 0.0
        high = rows[at + 1].kappa if at + 1 < len(rows) else math.inf
        entries = (best.variance, score, best.size, method, quantity, best.kappa)
        return Optimum(*entries, low, high, best.value)

    @cached_property
    def optima(self) -> tuple[Optimum, ...]:
        """Return the best step sizes of the exponential sampler, by score, N and quantity."""
        sizes = sorted({row.size for row in self.rows if row.part == "size"})
        return tuple(
            self.optimum("size", score, quantity, "exponential", size=size)
            for score in SCORES[1:]
            for size in sizes
            for quantity in ("divergence", "path_divergence", "bound")
        )

    def exponent(self, score: str) -> Exponent | None:
        """Return the power of N that the best step size is, from many points on.

        A step size inflates the variance by a share proportional to κ, which costs its square and
        gains, on the error of the estimate, its product with the share 1/N: the best is like 1/N.
        """
        found = [
            one
            for one in self.optima
            if (one.score, one.quantity) == (score, "divergence") and one.size >= _MANY and one.low
        ]
        # Anywhere between the neighbours.
        errors = [math.log(one.high / one.low) / math.sqrt(12.0) for one in found]
        return fitted_exponent([o.size for o in found], [o.kappa for o in found], errors)

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file, one number in each."""
        return [field.name for field in fields(Row)], [list(asdict(r).values()) for r in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns of the rows, and those of the best step sizes as ``optimum_…``."""
        columns = {f.name: np.array([getattr(r, f.name) for r in self.rows]) for f in fields(Row)}
        optima = {
            f"optimum_{f.name}": np.array([getattr(o, f.name) for o in self.optima])
            for f in fields(Optimum)
        }
        run = {"effort": np.array(self.effort), "seed": np.array(str(self.seed))}
        return {**columns, **optima, **run}

    def summary(self) -> Sequence[str]:
        """Return what the figure shows, in lines."""
        return [
            *_least_lines(self),
            *_map_lines(self),
            *_slack_lines(self),
            *_optimum_lines(self),
            *_transport_lines(self),
        ]


# --- Computing ------------------------------------------------------------------------------------


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> Samplers:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        Of the data sets; the closed forms have nothing random.
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
    >>> compute(effort="quik")
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: unknown effort 'quik': did you mean 'quick'? Known: ...
    """
    check_request(effort, seed, jobs)
    kept = open_cache("samplers") if cache is None else cache
    tasks = tuple(_tasks(plan or PLANS[effort], seed))
    finish(tasks, evaluate, kept, jobs=jobs, advance=advance)
    return Samplers(tuple(rows_of(tasks, kept.known)), effort, seed)


def _tasks(plan: Plan, seed: int) -> Generator[Task]:
    """Yield what is to be found: the longest first, that workers end together."""
    for stop, law in itertools.product(plan.stops, LAWS):
        steps, both = step_counts(plan.point_kappas, stop), ("divergence", "variance_ratio")
        for data_set in range(plan.data_sets):
            yield Task(
                "transport", law, variance_of(law), "points", SIZE, stop, steps, METHODS, both,
                data_set, seed,
            )  # fmt: skip
    steps, best = step_counts(plan.size_kappas, STOP), ("divergence", "path_divergence", "bound")
    for score, size in itertools.product(SCORES[1:], plan.sizes):
        yield Task(
            "size", "gaussian", VARIANCE, score, size, STOP, steps, METHODS[:1], best
        )  # fmt: skip
    steps = step_counts(plan.map_kappas, STOP)
    for variance in plan.map_variances:
        yield Task("map", "gaussian", variance, "plug-in", SIZE, STOP, steps)
    steps, kept = step_counts(plan.kappas, STOP), ("divergence", "variance_ratio", *_TERMS, *BOUNDS)
    for variance, score in itertools.product(VARIANCES, SCORES):
        yield Task("kappa", "gaussian", variance, score, SIZE, STOP, steps, METHODS, kept)


# --- What the figure says -------------------------------------------------------------------------


def least_methods(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the methods of least value, more than one where errors do not tell them apart.

    Examples
    --------
    >>> least_methods([])
    ()
    """
    known = [row for row in rows if math.isfinite(row.value)]
    least = min((row.value + row.error for row in known), default=math.nan)
    return tuple(row.method for row in known if row.value - row.error <= least)


def _least_mean(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the method of least mean, whatever the standard errors."""
    known = [row for row in rows if math.isfinite(row.value)]
    return (min(known, key=lambda row: row.value).method,) if known else ()


def _spans(
    curves: Sequence[Sequence[Row]], least: Callable[[Sequence[Row]], tuple[str, ...]]
) -> str:
    """Return which method has the least, over which step sizes."""
    found = [(rows[0].kappa, least(rows)) for rows in zip(*curves, strict=True)]
    parts = []
    for names, group in itertools.groupby(found, key=lambda one: one[1]):
        kappas = [kappa for kappa, _ in group]
        ends = f"{kappas[0]:.3g}" if len(kappas) == 1 else f"{kappas[0]:.3g}–{kappas[-1]:.3g}"
        parts.append(f"{' = '.join(names) or 'none'} (κ {ends})")
    return ", ".join(parts)


def nearest(rows: Sequence[Row], kappa: float) -> Row:
    """Return the row whose step size is nearest to κ, on the logarithmic scale."""
    return min(rows, key=lambda row: abs(math.log(row.kappa / kappa)))


def _least_lines(record: Samplers) -> Generator[str]:
    for variance, score in itertools.product(VARIANCES, SCORES):
        divergences, ratios = (
            [record.curve("kappa", score, m, quantity, variance=variance) for m in METHODS]
            for quantity in ("divergence", "variance_ratio")
        )
        law = f"s²={variance:g}, {score} score"
        yield f"a  {law}: least KL {_spans(divergences, least_methods)}"
        if score != "true":
            exact = record.exact("kappa", score, variance=variance)
            best = [min(rows, key=lambda row: row.value) for rows in divergences]
            each = [f"{one.method} {one.value / exact:.3f} (κ {one.kappa:.3g})" for one in best]
            yield f"a  {law}: least KL over the exact sampler's {exact:.4g}: {', '.join(each)}"
        if score != "mean":  # the same as for the true score
            there = [nearest(rows, 2 * TYPICAL) for rows in ratios]
            each = [f"{one.method} {one.value:.3f}" for one in there]
            yield (
                f"b  {law}: least V/v_ε {_spans(ratios, least_methods)};"
                f" at κ={there[0].kappa:.3g} {', '.join(each)}"
            )


@dataclass(frozen=True, slots=True)
class Cell:
    """A place of the map: which sampler has the least KL, and the exponential one's over that."""

    kappa: float
    variance: float
    method: str
    ratio: float


def cells(record: Samplers) -> tuple[Cell, ...]:
    """Return the map, by variance and then step size."""
    found = []
    for variance in sorted({row.variance for row in record.rows if row.part == "map"}):
        curves = [
            record.curve("map", "plug-in", method, "divergence", variance=variance)
            for method in METHODS
        ]
        for rows in zip(*curves, strict=True):
            best = min(rows, key=lambda row: row.value)
            found.append(Cell(best.kappa, variance, best.method, rows[0].value / best.value))
    return tuple(found)


def _map_lines(record: Samplers) -> Generator[str]:
    found = cells(record)
    for method in METHODS:
        mine = [cell for cell in found if cell.method == method]
        if mine:
            kappas, variances = [c.kappa for c in mine], [c.variance for c in mine]
            yield (
                f"c  plug-in score: {method} has the least KL at {len(mine)} of {len(found)} places"
                f" (κ {min(kappas):.3g}–{max(kappas):.3g}, s² {min(variances):.3g}–"
                f"{max(variances):.3g})"
            )
    worst = max((c for c in found if c.kappa <= MODERATE), key=lambda c: c.ratio)
    yield (
        f"c  plug-in score: for κ ≤ {MODERATE:g} the exponential sampler's KL is at most"
        f" {worst.ratio:.3f} times the least, against {worst.method} at κ={worst.kappa:.3g},"
        f" s²={worst.variance:.3g}"
    )


@dataclass(frozen=True, slots=True)
class Slack:
    """The exponential sampler's KL, and by which factor each step of the proof exceeds the last."""

    kappa: float
    divergence: float
    data_processing: float
    cross_term: float
    minkowski: float

    @property
    def whole(self) -> float:
        """The bound over the divergence."""
        return self.data_processing * self.cross_term * self.minkowski

    @property
    def share(self) -> float:
        """The part of the logarithm of the whole factor that data processing has."""
        return math.log(self.data_processing) / math.log(self.whole)


def slack_of(record: Samplers, variance: float, score: str, kappa: float = TYPICAL) -> Slack:
    """Return the slack of Proposition 7 at the step size nearest to κ."""
    own, path, sharper, bound = (
        nearest(record.curve("kappa", score, "exponential", name, variance=variance), kappa)
        for name in ("divergence", *BOUNDS)
    )
    factors = (path.value / own.value, sharper.value / path.value, bound.value / sharper.value)
    return Slack(own.kappa, own.value, *factors)


def _slack_lines(record: Samplers) -> Generator[str]:
    for variance, score in itertools.product(VARIANCES, SCORES):
        one = slack_of(record, variance, score)
        bound = one.whole * one.divergence
        yield (
            f"d  s²={variance:g}, {score} score, κ={one.kappa:.3g}: bound {bound:.3g}"
            f" = KL {one.divergence:.3g} × {one.data_processing:.4g} (data processing) ×"
            f" {one.cross_term:.3f} (cross term) × {one.minkowski:.3f} (Minkowski);"
            f" {100 * one.share:.0f} % of the logarithm is data processing"
        )


def _optimum_lines(record: Samplers) -> Generator[str]:
    found = {(one.score, one.size, one.quantity): one for one in record.optima}
    for (score, size, quantity), one in found.items():
        if quantity != "divergence":
            continue
        bound = found[score, size, "bound"]
        there = record.curve("size", score, "exponential", "divergence", size=size)
        loss = nearest(there, bound.kappa).value / one.value
        tried = " (the least tried)" if bound.low == 0 else ""
        yield (
            f"e  s²={one.variance:g}, {score} score, N={size}: KL is least at κ* = {one.kappa:.3g}"
            f" ({one.low:.3g} to {one.high:.3g}), the bound at {bound.kappa:.3g}{tried}, where KL"
            f" is {loss:.3f} times as large"
        )
    for score in SCORES[1:]:
        power = record.exponent(score)
        if power is not None:
            yield (
                f"e  {score} score: κ* ∝ N^({power.value:.2f} ± {power.half_width:.2g}) over"
                f" [{power.low:g}, {power.high:g}], theory −1"
            )


def _transport_lines(record: Samplers) -> Generator[str]:
    done = {(row.stop, row.law): None for row in record.rows if row.part == "transport"}
    for stop, law in done:
        curves, gains = (
            [record.curve("transport", "points", m, name, stop=stop, law=law) for m in METHODS]
            for name in ("divergence", "gain")
        )
        exact = record.exact("transport", "points", stop=stop, law=law)
        head = f"f  {law}, score of {SIZE} points, ε={stop:g}"
        yield f"{head}: least mean KL {_spans(curves, _least_mean)}"
        best = [
            max(known, key=lambda row: row.value)
            for rows in gains
            if (known := [row for row in rows if math.isfinite(row.value)])
        ]
        each = [
            f"{one.method} {round(one.value / exact, 2) + 0:.2f} ± {one.error / exact:.2f}"
            f" (κ {one.kappa:.3g})"
            for one in best
        ]
        yield f"{head}: most gain, in parts of the exact sampler's {exact:.3g}: {', '.join(each)}"
        for row in itertools.chain(*curves):
            if row.refused:
                yield (
                    f"{head}: {row.method} at κ={row.kappa:.3g} refused for {row.refused} of"
                    f" {row.sets} data sets ({row.reasons})"
                )
