"""The data of the figure ``denoising``: how ε_stab falls and blows up, how loose its bounds are.

Panels: a, against the sample size; b, against the early stopping time; c, against the dimension of
the space; d, the slack of the bounds. The process is Ornstein–Uhlenbeck, τ is a point mass at ε,
circles and spheres have radius 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
from numpy.typing import NDArray

from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.denoising_points import Row, Task, evaluate, row_of, time_of
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.slopes import Exponent, fitted_exponent, local_exponents

#: The laws, each with its intrinsic dimension d* and the least dimension of the space.
LAWS: Mapping[str, tuple[int, int]] = {"circle": (1, 2), "sphere": (2, 3), "flat-torus": (2, 4)}

#: Panel a is at this time, and so is panel c, for this many points.
TIME = "1/10"
POINTS_OF_C = 16
#: Panel b is for this many points.
POINTS_OF_B = 10_000
#: Bounds of Proposition 6 and of packing, whose exponents are found beside those of ε_stab.
BOUNDS = ("best", "packing")

#: Powers are fitted where so many training points are within reach of the noise, or so few; those
#: of σ_ε where, besides, μ_ε is near 1.
MANY, FEW = 5.0, 0.1
_EARLY = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed.

    ``draws`` is how many training points are looked at for one mean, however they are divided into
    draws; no mean has more than ``most`` draws. Panel c has ``flat_draws`` for each dimension.
    """

    sizes: tuple[int, ...]
    defined_up_to: int
    draws: int
    most: int
    sigmas: tuple[float, ...]
    dimensions: tuple[int, ...]
    flat_draws: int
    map_sizes: tuple[int, ...]
    map_sigmas: tuple[float, ...]

    def draws_at(self, size: int) -> int:
        """Return the number of draws for a sample size."""
        return max(200, min(self.most, self.draws // size))


def _doublings(last: int) -> tuple[int, ...]:
    return tuple(2**k for k in range(1, last.bit_length()) if 2**k <= last)


def _log_range(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(float(f"{x:.4g}") for x in np.geomspace(low, high, count))


def _whole(numbers: Iterable[float]) -> tuple[int, ...]:
    return tuple(sorted({round(x) for x in numbers}))


PLANS: Mapping[str, Plan] = {
    "quick": Plan(
        sizes=_doublings(512),
        defined_up_to=8,
        draws=4_000_000,
        most=20_000,
        sigmas=_log_range(0.003, 0.8, 8),
        dimensions=(2, 30, 1000),
        flat_draws=10_000,
        map_sizes=_whole(_log_range(2, 10_000, 5)),
        map_sigmas=_log_range(0.02, 0.8, 5),
    ),
    "standard": Plan(
        sizes=_doublings(4096),
        defined_up_to=64,
        draws=8_000_000,
        most=100_000,
        sigmas=_log_range(0.001, 0.8, 16),
        dimensions=(2, 4, 10, 30, 100, 300, 1000),
        flat_draws=50_000,
        map_sizes=_whole(_log_range(2, 10_000, 13)),
        map_sigmas=_log_range(0.02, 0.8, 12),
    ),
    "deep": Plan(
        sizes=_doublings(16_384),
        defined_up_to=128,
        draws=64_000_000,
        most=400_000,
        sigmas=_log_range(0.001, 0.8, 31),
        dimensions=(2, 3, 5, 10, 20, 50, 100, 200, 500, 1000),
        flat_draws=200_000,
        map_sizes=_whole(_log_range(2, 10_000, 28)),
        map_sigmas=_log_range(0.02, 0.8, 25),
    ),
}


@dataclass(frozen=True, slots=True)
class Slope:
    """A power law of the figure: of what, in what, as found and as the theory has it.

    ``quantity`` is ``eps_stab`` or the square root of a bound; half widths are of intervals at
    99 %, and NaN where the numbers are a quadrature's and show no scatter; ``kind`` is ``fit`` or
    ``local``, between two neighbouring points; ``predicted`` is NaN where theory gives no number.
    """

    panel: str
    case: str
    quantity: str
    variable: str
    kind: str
    value: float
    half_width: float
    low: float
    high: float
    predicted: float


@dataclass(frozen=True, slots=True)
class Denoising:
    """Everything that the figure shows."""

    rows: tuple[Row, ...]
    slopes: tuple[Slope, ...]
    effort: str
    seed: int

    def of(self, panel: str, case: str | None = None, *hows: str) -> tuple[Row, ...]:
        """Return the rows of a panel, of one case and found in one of these ways if given."""
        return tuple(
            row
            for row in self.rows
            if row.panel == panel
            and (case is None or row.case == case)
            and (not hows or row.how in hows)
        )

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file."""
        head = [field.name for field in fields(Row)]
        return head, [list(asdict(row).values()) for row in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns of the rows, and those of the slopes as ``slope_…``."""
        columns = {f.name: np.array([getattr(r, f.name) for r in self.rows]) for f in fields(Row)}
        slopes = {
            f"slope_{f.name}": np.array([getattr(s, f.name) for s in self.slopes])
            for f in fields(Slope)
        }
        run = {"effort": np.array(self.effort), "seed": np.array(str(self.seed))}
        return {**columns, **slopes, **run}

    def summary(self) -> Sequence[str]:
        """Return one line for each power law."""
        return [_sentence(slope) for slope in self.slopes]


def _sentence(slope: Slope) -> str:
    spread = "" if math.isnan(slope.half_width) else f" ± {slope.half_width:.2g}"
    theory = "" if math.isnan(slope.predicted) else f", theory {slope.predicted:.3g}"
    what = "ε_stab" if slope.quantity == "eps_stab" else f"√({slope.quantity} bound)"
    return (
        f"{slope.panel}  {slope.case}: {what} ∝ {slope.variable}^({slope.value:.3f}{spread}) "
        f"{slope.kind} over [{slope.low:.4g}, {slope.high:.4g}]{theory}"
    )


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> Denoising:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        Of everything random.
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
    kept = open_cache("denoising") if cache is None else cache
    tasks = tuple(_tasks(plan or PLANS[effort], effort, seed))
    finish(tasks, evaluate, kept, jobs=jobs, advance=advance)
    rows = tuple(row_of(task, kept.known[task.key]) for task in tasks)
    return Denoising(rows, tuple(_slopes(rows)), effort, seed)


def _tasks(plan: Plan, effort: str, seed: int) -> Generator[Task]:
    """Yield what is to be found: the longest first, that workers end together."""

    def task(
        panel: str, how: str, case: str, size: int, time: str, dimension: int = 0, draws: int = 0
    ) -> Task:
        space = dimension or LAWS[case][1]
        return Task(panel, how, case, size, time, space, draws, effort, seed)

    for space in reversed(plan.dimensions):
        yield task("c", "exchange", "circle", POINTS_OF_C, TIME, space, plan.flat_draws)
    for size, case in itertools.product(reversed(plan.sizes), LAWS):
        if size <= plan.defined_up_to:
            yield task("a", "definition", case, size, TIME)
        if size > plan.defined_up_to or case == "flat-torus":  # its sharper bound is sampled too
            yield task("a", "exchange", case, size, TIME, draws=plan.draws_at(size))
        yield task("a", "bounds", case, size, TIME)
    for sigma, case in itertools.product(plan.sigmas, LAWS):
        time = time_of(sigma)
        yield task("b", "bounds", case, POINTS_OF_B, time)
        if case == "flat-torus":  # no quadrature: sampled
            draws = plan.draws_at(POINTS_OF_B)
            yield task("b", "exchange", case, POINTS_OF_B, time, draws=draws)
    yield task("c", "bounds", "circle", POINTS_OF_C, TIME)
    for sigma, size in itertools.product(plan.map_sigmas, plan.map_sizes):
        yield task("d", "bounds", "circle", size, time_of(sigma))


# --- Exponents ------------------------------------------------------------------------------------

Column = Callable[[Row], float]


def _root(rows: Sequence[Row], column: Column) -> list[float]:
    return [math.sqrt(column(row)) for row in rows]


def stability_of(row: Row) -> float:
    """Return ε_stab² of a row: as sampled, or the middle of the sandwich."""
    return (row.lower + row.upper) / 2 if math.isnan(row.value) else row.value


def _relative_error(row: Row) -> float:
    """Of ε_stab: half of that of its square; half of a sandwich's width counts as an error."""
    error = (row.upper - row.lower) / 2 if math.isnan(row.value) else row.error
    return error / stability_of(row) / 2


def sampled(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return a row for each place that was sampled, by increasing N, σ_ε and dimension.

    Where there are two, the one by the definition.
    """
    found = sorted((row for row in rows if row.value > 0), key=lambda row: row.how, reverse=True)
    places = {(row.case, row.size, row.sigma, row.dimension): row for row in found}
    return tuple(sorted(places.values(), key=lambda row: (row.size, row.sigma, row.dimension)))


def bounded(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Return the rows that have bounds, by increasing N and σ_ε."""
    found = (row for row in rows if row.how == "bounds")
    return tuple(sorted(found, key=lambda row: (row.size, row.sigma)))


def _slopes(rows: Sequence[Row]) -> Generator[Slope]:
    for case in LAWS:
        mine = [row for row in rows if row.panel == "a" and row.case == case]
        yield from _in_sample_size(case, mine)
    for case, (intrinsic, _) in LAWS.items():
        mine = [row for row in rows if row.panel == "b" and row.case == case]
        yield from _in_noise(case, intrinsic, mine)
    flat = sampled([row for row in rows if row.panel == "c"])
    found = fitted_exponent(
        [row.dimension for row in flat], _root(flat, stability_of), [*map(_relative_error, flat)]
    )
    if found is not None:
        yield _slope("c", "circle", "eps_stab", "D", "fit", found, 0.0)


def _in_sample_size(case: str, rows: Sequence[Row]) -> Generator[Slope]:
    """ε_stab and the packing bound go like 1/N; Proposition 6 like N^(−c/(2 − c)) in the end."""
    points = sampled(rows)
    reach = {row.size: row.neighbours for row in bounded(rows)}
    large = [row for row in points if reach[row.size] >= MANY]
    found = fitted_exponent(
        [row.size for row in large], _root(large, stability_of), [*map(_relative_error, large)]
    )
    if found is not None:
        yield _slope("a", case, "eps_stab", "N", "fit", found, -1.0)
    ends = bounded(rows)[-3:]
    # ε_stab between the last doublings: by quadrature where there is one
    exact = ends if all(not math.isnan(row.upper) for row in ends) else points[-3:]
    for one in local_exponents(
        [row.size for row in exact], _root(exact, stability_of), [*map(_relative_error, exact)]
    ):
        yield _slope("a", case, "eps_stab", "N", "local", one, -1.0)
    yield from _of_bounds("a", case, ends, lambda row: row.size, _rate_in_sample_size)


def _in_noise(case: str, intrinsic: int, rows: Sequence[Row]) -> Generator[Slope]:
    """ε_stab goes like σ_ε^(−1 − d*) where the noise reaches many points, like σ_ε^(−2) where none.

    Where it reaches many, leaving one out moves the mean by about its distance, σ_ε, times its
    share, (N σ_ε^d*)^(−1); where none, the mean jumps to another point, at a distance that does not
    depend on σ_ε. Scores are means over σ_ε².
    """
    ends = bounded(rows)
    reach = {row.sigma: row.neighbours for row in ends}
    exact = ends if all(not math.isnan(row.upper) for row in ends) else sampled(rows)
    windows: tuple[tuple[Callable[[float], bool], float], ...] = (
        (lambda near: near <= FEW, -2.0),
        (lambda near: near >= MANY, -1.0 - intrinsic),
    )
    for inside, predicted in windows:
        chosen = [row for row in exact if inside(reach[row.sigma]) and row.sigma <= _EARLY]
        found = fitted_exponent(
            [row.sigma for row in chosen],
            _root(chosen, stability_of),
            [*map(_relative_error, chosen)],
        )
        if found is not None:
            yield _slope("b", case, "eps_stab", "σ_ε", "fit", found, predicted)
    first = ends[:2]
    yield from _of_bounds("b", case, first, lambda row: row.sigma, _rate_in_noise(intrinsic))


def _rate_in_sample_size(row: Row, quantity: str) -> float:
    c = row.best_c
    return -1.0 if quantity == "packing" else -c / (2 * (1 - c * _share(row)))


def _rate_in_noise(intrinsic: int) -> Callable[[Row, str], float]:
    """As M ∝ σ_ε^(−4(1 − c) − c d*) and C_sm ∝ σ_ε^(−2) have it."""

    def rate(row: Row, quantity: str) -> float:
        c, share = row.best_c, _share(row)
        if quantity == "packing":
            return -2.0 - intrinsic
        return -(4 * (1 - c) + c * intrinsic + 2 * c * (1 - share)) / (2 * (1 - c * share))

    return rate


def _share(row: Row) -> float:
    """The exponent of ε_stab² in 4 ε_stab C_sm^(1/2) + 2 ε_stab², which Proposition 6 holds.

    One half for small ε_stab, which makes Proposition 6 fall like N^(−c/(2 − c)); one for large.
    """
    cross = 2 * math.sqrt(row.best * row.c_sm)
    return (cross + 2 * row.best) / (2 * cross + 2 * row.best)


def _of_bounds(
    panel: str,
    case: str,
    rows: Sequence[Row],
    variable: Callable[[Row], float],
    rate: Callable[[Row, str], float],
) -> Generator[Slope]:
    """Yield the exponents of the bounds between neighbouring rows; they have no scatter."""
    name = "N" if panel == "a" else "σ_ε"
    for quantity in BOUNDS:
        values = [math.sqrt(getattr(row, quantity)) for row in rows]
        found = local_exponents([variable(row) for row in rows], values, [math.nan] * len(rows))
        for one, pair in zip(found, itertools.pairwise(rows), strict=True):
            predicted = sum(rate(row, quantity) for row in pair) / 2
            yield _slope(panel, case, quantity, name, "local", one, predicted)


def _slope(
    panel: str, case: str, quantity: str, variable: str, kind: str, one: Exponent, predicted: float
) -> Slope:
    ends = (one.value, one.half_width, one.low, one.high)
    return Slope(panel, case, quantity, variable, kind, *ends, predicted)
