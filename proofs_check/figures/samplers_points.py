"""One piece of the samplers figure: divergences of samplers at given steps, by closed forms or
transport.

Every step size κ is ε^(−1/m) − 1 for an integer m, so that all samplers stop at the same ε.
"""

from __future__ import annotations

import itertools
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from numerics.density import (
    LineDensity,
    empirical_score_line,
    kl_divergence,
    moments,
    transport_density,
)
from numerics.gaussian_plug_in_sampler import variance_rule
from numerics.gaussian_samplers import METHODS, GaussianSamplerLosses, gaussian_sampler_losses
from numerics.sampler_times import SamplerTimes, nearest_phase_lengths, two_phase_times

Array = NDArray[np.float64]

#: T is the nearest 1 + κL to this. The flows still feel there that they start from N(0, I): for
#: s² = 4 their estimated mean is 1.3 % short, and E KL with it 2.7 %, however small κ is.
HORIZON = 5.0
#: The sampler without discretisation, whose output is the noised estimate itself.
EXACT = "exact"
#: Laws of the empirical score's data: centres of equally weighted normals, and their variance.
LAWS: Mapping[str, tuple[tuple[float, ...], float]] = {
    "normal": ((0.0,), 1.0),
    "mixture": ((-1.5, 1.5), 0.25),
}

#: Relative accuracy of transported densities; divergences are shown to three digits.
_ACCURACY = 1e-6
_REACH = 8.5
_NODES = 14


@dataclass(frozen=True, slots=True)
class Task:
    """Samplers to be run on one law with one score, at several step sizes.

    ``law`` is ``gaussian``, N(0, s²) in closed form, or one of `LAWS`, where the score is that of
    the points and ``data_set`` says which points. ``steps`` holds the numbers m of geometric steps.
    """

    part: str
    law: str
    variance: float
    score: str
    size: int
    stop: float
    steps: tuple[int, ...]
    methods: tuple[str, ...] = METHODS
    quantities: tuple[str, ...] = ("divergence",)
    data_set: int = 0
    seed: int = 0

    @property
    def key(self) -> str:
        """Return what the cache knows the task by."""
        return json.dumps(asdict(self), sort_keys=True)

    def __str__(self) -> str:
        what = f"s²={self.variance:.3g}" if self.law == "gaussian" else f"set {self.data_set + 1}"
        return f"{self.law} {what} N={self.size} ε={self.stop:g}: {self.score} score"


@dataclass(frozen=True, slots=True)
class Entry:
    """One number of a task; NaN where a sampler was refused, with the reason."""

    steps: int
    method: str
    quantity: str
    value: float
    error: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One number. The ``exact`` sampler has κ = 0 and no steps.

    Divergences are KL(p_ε ‖ output) in nats, ``variance_ratio`` is the output's variance over that
    of p_ε. ``gain`` is by how much the exact sampler's divergence is larger, on the same points.
    Over ``sets`` data sets (0: none were drawn) ``error`` is a standard error, elsewhere numerical.
    Where any of them was refused, ``value`` is NaN, and ``reasons`` counts why.
    """

    part: str
    law: str
    variance: float
    score: str
    size: int
    stop: float
    method: str
    kappa: float
    uniform_steps: int
    geometric_steps: int
    quantity: str
    value: float
    error: float
    sets: int = 0
    refused: int = 0
    reasons: str = ""


def step_counts(kappas: tuple[float, ...], stop: float) -> tuple[int, ...]:
    """Return the numbers m of geometric steps whose κ are nearest to these, by increasing κ.

    Examples
    --------
    >>> step_counts((0.1, 0.5), 0.01)
    (48, 11)
    """
    return tuple(
        dict.fromkeys(nearest_phase_lengths(kappa, HORIZON, stop)[1] for kappa in sorted(kappas))
    )


def step_size(count: int, stop: float) -> float:
    """Return κ with (1 + κ)^(−m) = ε.

    Examples
    --------
    >>> round(step_size(2, 0.25), 12)
    1.0
    """
    return math.expm1(-math.log(stop) / count)


def times_of(count: int, stop: float) -> SamplerTimes:
    """Return the times with m geometric steps down to ε, from the T nearest to `HORIZON`.

    Examples
    --------
    >>> times_of(2, 0.25).noise_times
    array([5.  , 4.  , 3.  , 2.  , 1.  , 0.5 , 0.25])
    """
    kappa = step_size(count, stop)
    return two_phase_times(kappa, nearest_phase_lengths(kappa, HORIZON, stop)[0], count)


def evaluate(task: Task) -> list[tuple[int, str, str, float, float, str]]:
    """Return the fields of each `Entry` of the task; the same task gives the same numbers."""
    found = _gaussian(task) if task.law == "gaussian" else _transported(task)
    return [
        (one.steps, one.method, one.quantity, one.value, one.error, one.reason)
        for one in found
        if one.quantity in task.quantities
    ]


# --- Closed forms ---------------------------------------------------------------------------------


def exact_divergence(variance: float, score: str, size: int, stop: float) -> float:
    """Return E KL(p_ε ‖ p̂_ε) of N(0, s²) and its estimate: what no step size leaves.

    Examples
    --------
    >>> exact_divergence(4.0, "true", 40, 0.01), round(exact_divergence(4.0, "mean", 40, 0.01), 6)
    (0.0, 0.012437)
    """
    if score == "true":
        return 0.0
    noise, kept = -math.expm1(-2.0 * stop), math.exp(-2.0 * stop)
    assumed, weights = np.array([variance]), np.ones(1)
    if score == "plug-in":
        assumed, weights = variance_rule(size - 1, variance / size, noise, _NODES)
    own, other = noise + kept * variance, noise + kept * assumed
    moved = kept * variance / size
    return float(weights @ (0.5 * ((own + moved) / other - 1.0 + np.log(other / own))))


def _gaussian(task: Task) -> Generator[Entry]:
    exact = exact_divergence(task.variance, task.score, task.size, task.stop)
    yield Entry(0, EXACT, "divergence", exact)
    target = -math.expm1(-2.0 * task.stop) + math.exp(-2.0 * task.stop) * task.variance
    for count in task.steps:
        times = times_of(count, task.stop)
        for method in task.methods:
            losses = gaussian_sampler_losses(
                times,
                variance=task.variance,
                dimension=1,
                size=task.size,
                score=task.score,
                method=method,
            )
            output, divergence = losses.output_variance, losses.divergence
            yield Entry(count, method, "divergence", divergence.value, divergence.error)
            ratio, error = output.value / target, output.error / target
            yield Entry(count, method, "variance_ratio", ratio, error)
            for name, value in _path_terms(losses, times, task.variance).items():
                yield Entry(count, method, name, value)


def _path_terms(
    losses: GaussianSamplerLosses, times: SamplerTimes, variance: float
) -> dict[str, float]:
    """Return what bounds the exponential sampler's divergence, and the terms of it."""
    names = ("prior_divergence", "score_error", "discretisation_error", "path_divergence", "bound")
    found = {}
    for name in names:
        term = getattr(losses, name)
        if term is None:
            return {}
        found[name] = float(term.value)
    u = times.noise_times[:-1]
    information = 1.0 / (-np.expm1(-2.0 * u) + np.exp(-2.0 * u) * variance)
    found["step_fisher"] = float(np.sum(times.steps**3 * information))
    found["sharper_bound"] = (
        found["prior_divergence"]
        + found["score_error"]
        + found["discretisation_error"]
        + math.sqrt(found["score_error"] * found["step_fisher"])
    )
    return found


# --- The score of points, by transport ------------------------------------------------------------


def variance_of(law: str) -> float:
    """Return the variance of a law of `LAWS`.

    Examples
    --------
    >>> variance_of("mixture")
    2.5
    """
    centres, variance = LAWS[law]
    return variance + float(np.var(centres))


def data_of(law: str, size: int, data_set: int, seed: int) -> Array:
    """Return one data set of a law of `LAWS`, the same at every ε.

    Examples
    --------
    >>> data_of("mixture", 40, 0, 0).shape
    (40,)
    """
    rng = np.random.default_rng([seed, data_set, zlib.crc32(law.encode())])
    centres, variance = LAWS[law]
    chosen = np.array(centres)[rng.integers(len(centres), size=size)]
    return np.asarray(chosen + math.sqrt(variance) * rng.standard_normal(size))


def _log_normals(centres: Array, variance: float) -> Callable[[Array], Array]:
    """Return the logarithm of the density of equally weighted normals."""

    def log_density(x: Array) -> Array:
        exponents = -0.5 * (x[:, None] - centres) ** 2 / variance
        scale = 0.5 * math.log(2.0 * math.pi * variance) + math.log(len(centres))
        return np.asarray(logsumexp(exponents, axis=1) - scale)

    return log_density


def _noised_normals(law: str, stop: float) -> tuple[Callable[[Array], Array], float]:
    """Return the logarithm of p_ε and its variance."""
    centres, variance = LAWS[law]
    mu, noise = math.exp(-stop), -math.expm1(-2.0 * stop)
    logarithm = _log_normals(mu * np.array(centres), noise + mu**2 * variance)
    return logarithm, noise + mu**2 * variance_of(law)


def _estimate_itself(data: Array, stop: float) -> LineDensity:
    """Return the density of the noised points."""
    mu, noise = math.exp(-stop), -math.expm1(-2.0 * stop)
    grid = np.linspace(-_REACH, _REACH, 2 * math.ceil(_REACH / (math.sqrt(noise) / 8.0)) + 1)
    weights = np.full(len(grid), float(grid[1] - grid[0]))
    logs = _log_normals(mu * data, noise)(grid)
    return LineDensity(0, stop, grid, weights, logs, None, uniform=True)


def _transported(task: Task) -> Generator[Entry]:
    target, spread = _noised_normals(task.law, task.stop)
    data = data_of(task.law, task.size, task.data_set, task.seed)
    exact = kl_divergence(target, _estimate_itself(data, task.stop))
    yield Entry(0, EXACT, "divergence", exact.value, exact.error)
    score, derivative = empirical_score_line(data)
    for count in task.steps:
        times = times_of(count, task.stop)
        for method in task.methods:
            try:
                run = transport_density(
                    score,
                    times,
                    method=method,
                    accuracy=_ACCURACY,
                    score_derivative=derivative,
                    estimate_error=False,
                )
                found = kl_divergence(target, run.final)
            except ValueError as error:
                reason = _reason(str(error))
                for quantity in ("divergence", "variance_ratio"):
                    yield Entry(count, method, quantity, math.nan, math.nan, reason)
                continue
            yield Entry(count, method, "divergence", found.value, found.error)
            yield Entry(count, method, "variance_ratio", moments(run.final).variance / spread)


def _reason(message: str) -> str:
    """Return in one word why a transport was refused."""
    for word, sign in (("folds", "folds the line"), ("tears", "tears the gaps")):
        if sign in message:
            return word
    return "unresolved"


# --- Rows -----------------------------------------------------------------------------------------


def rows_of(tasks: Sequence[Task], found: Mapping[str, Any]) -> Generator[Row]:
    """Yield the rows of tasks from what is found by their keys: means over the data sets."""
    for _, group in itertools.groupby(tasks, key=lambda t: (t.part, t.law, t.stop, t.score)):
        same = list(group)
        entries = [[Entry(*one) for one in found[task.key]] for task in same]
        if same[0].law in LAWS:
            yield from _averaged(same[0], entries)
        else:
            for task, own in zip(same, entries, strict=True):
                yield from (_row(task, entry) for entry in own)


def _row(task: Task, entry: Entry, **more: Any) -> Row:
    times = times_of(entry.steps, task.stop) if entry.steps else None
    return Row(
        part=task.part,
        law=task.law,
        variance=task.variance,
        score=task.score,
        size=task.size,
        stop=task.stop,
        method=entry.method,
        kappa=step_size(entry.steps, task.stop) if entry.steps else 0.0,
        uniform_steps=len(times.steps) - entry.steps if times else 0,
        geometric_steps=entry.steps,
        quantity=entry.quantity,
        value=entry.value,
        error=entry.error,
        **more,
    )


def _averaged(task: Task, found: Sequence[Sequence[Entry]]) -> Generator[Row]:
    """Yield means over data sets, and those of the gain over the exact sampler."""
    exact = np.array([entries[0].value for entries in found])
    for same in zip(*found, strict=True):
        first = same[0]
        values = np.array([one.value for one in same])
        wanted = {first.quantity: values}
        if first.quantity == "divergence" and first.method != EXACT:
            wanted["gain"] = exact - values
        counts = Counter(one.reason for one in same if one.reason)
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
        more = {"sets": len(same), "refused": sum(counts.values()), "reasons": reasons}
        for quantity, drawn in wanted.items():
            error = float(drawn.std(ddof=1)) / math.sqrt(len(drawn)) if len(drawn) > 1 else math.nan
            mean = Entry(first.steps, first.method, quantity, float(drawn.mean()), error)
            yield _row(task, mean, **more)
