"""Reverse-time sampling: many paths of the reverse SDE or of its probability flow.

The forward process is Ornstein–Uhlenbeck, dX = -X dt + √2 dW. With an estimate ŝ(x, u) of the
score at noise time u, samples follow

    dY = (Y + 2ŝ) dt + √2 dW   or   dY = (Y + ŝ) dt

from Y_0 ~ N(0, I) at noise time T = u_0 down to ε = u_K. ``numerics.sampler_steps`` lists the
methods; noise is additive, so Milstein's is Euler–Maruyama's (``numerics.milstein`` has an SDE
where they differ).

Other conventions are Ornstein–Uhlenbeck at other times. The variance-preserving process with
μ_t = exp(-B(t)) is it at noise time B(t), and μ_t = (1 - t)^(1/2) for a fraction t of noise is it
at noise time -log(1 - t) / 2: passing those noise times covers both.

Each random number is named by the key, the path, the step and the coordinate. A path is therefore
the same, bit by bit, on any number of threads and in any split of the paths into runs.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Literal, SupportsIndex, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.counter_streams import Key, stream_key
from numerics.point_arguments import checked_points
from numerics.sampler_advance import advanced
from numerics.sampler_kernel import kernel_paths
from numerics.sampler_moments import PathMoments, combined, group_size, moments_of
from numerics.sampler_normals import keyed_normals
from numerics.sampler_score import EmpiricalScore, Score, left_domain
from numerics.sampler_steps import Method, StepFactors, step_factors
from numerics.sampler_times import SamplerTimes
from numerics.streams import Rng

__all__ = ["EmpiricalScore", "PathMoments", "ReverseRun", "sample_reverse"]

Array = NDArray[np.float64]
Record = Literal["end", "path", "moments"]

# Paths that a callable is given at once, and doubles of their recorded states (64 MiB).
_TOGETHER = 16_384
_HELD = 2**23

# Path indices are counters of 63 bits.
_LARGEST_PATH = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class ReverseRun:
    """What was recorded of M paths.

    ``end`` (M, d) holds the states at noise time ε, ``path`` (M, K + 1, d) those at all times,
    and ``moments`` the mean (K + 1, d) and the covariance (K + 1, d, d) over the paths; the last
    two are None unless asked for.
    """

    end: Array
    path: Array | None = None
    moments: PathMoments | None = None


def sample_reverse(
    score: Score,
    times: SamplerTimes,
    *,
    paths: int,
    dimension: int,
    rng: Rng,
    method: Method = "exponential",
    record: Record = "end",
    first_path: int = 0,
    initial: ArrayLike | None = None,
) -> ReverseRun:
    """Return samples of the reverse SDE, or of the probability flow, by time stepping.

    Source: the exponential step and its times, farghly2026, arXiv 2507.03756, Proposition 7; the
    others are textbook methods.

    Parameters
    ----------
    score : callable
        ``score(x, u)`` maps points (M, d) and a noise time to scores (M, d), row by row; a numba
        function will do. An ``EmpiricalScore`` runs in a compiled kernel.
    times : SamplerTimes
        Noise times from T down to ε, from ``numerics.sampler_times``.
    paths, dimension : int
        M and d, each at least 1.
    rng : int, SeedSequence or Generator
        As in ``numerics.streams.seed_sequence``.
    method : str
        "exponential" or "euler-maruyama" for the reverse SDE; "flow-euler", "flow-heun" or
        "flow-exponential" for the probability flow.
    record : str
        "end" for the last states only; "path" for all states, M (K + 1) d numbers; "moments" for
        mean and covariance at each time without keeping the paths (M at least 2).
    first_path : int
        Index of the first path: paths 50 to 99 are the last 50 of paths 0 to 99.
    initial : array_like, shape (M, d), optional
        States at noise time T; standard normals keyed by path when None.

    Returns
    -------
    ReverseRun

    Raises
    ------
    ValueError
        One line, for an argument outside its domain; for a score of a wrong shape or dtype, or
        that is not finite; and for a path that leaves [-1e70, 1e70]. The last two name the step,
        its noise time, the path and the point at which the score was asked for.

    Notes
    -----
    A callable sees at most 16384 rows at once; bits are the same in any split of the paths if
    those of its rows are. Moments are combined over groups of paths in a fixed order.

    Examples
    --------
    >>> from numerics.sampler_times import two_phase_times
    >>> times = two_phase_times(0.1, 40, 30)
    >>> score = EmpiricalScore([[-1.0], [1.0]])
    >>> run = sample_reverse(score, times, paths=10_000, dimension=1, rng=0, record="moments")
    >>> run.end.shape, run.moments.mean.shape, run.moments.covariance[-1].round(1)
    ((10000, 1), (71, 1), array([[1.]]))
    """
    number = _checked_integer("paths", paths, 2 if record == "moments" else 1)
    size = _checked_integer("dimension", dimension, 1)
    first = _checked_integer("first_path", first_path, 0)
    if first + number > _LARGEST_PATH:
        raise ValueError(f"first_path = {first}: path indices stay below 2**63; start from 0")
    if record not in get_args(Record):
        raise ValueError(f"record = {record!r}: it must be one of {', '.join(get_args(Record))}")
    if isinstance(score, EmpiricalScore) and score.dimension != size:
        raise ValueError(
            f"dimension = {size}: it must be {score.dimension}, as the score's data has shape "
            f"{score.data.shape}; pass that"
        )
    if not callable(score):
        raise ValueError(f"score = {score!r}: it must be callable as score(x, u); pass a function")
    given = None if initial is None else _checked_initial(initial, number, size)
    sampler = _Sampler(score, times, step_factors(times, method), stream_key(rng))
    return _recorded(sampler, number, size, first, given, record)


@dataclass(frozen=True, slots=True)
class _Sampler:
    """All that the paths of one run share."""

    score: Score
    times: SamplerTimes
    factors: StepFactors
    key: Key


def _recorded(
    sampler: _Sampler, paths: int, size: int, first: int, given: Array | None, record: Record
) -> ReverseRun:
    """Run all paths, some at a time."""
    times = len(sampler.times.noise_times)
    group = group_size(times, size)
    together = group * max(1, min(_TOGETHER // group, _HELD // (group * times * size)))
    end = np.empty((paths, size))
    path = np.empty((paths if record == "path" else 0, times, size))
    moments: PathMoments | None = None
    for low in range(0, paths, together):
        high = min(low + together, paths)
        start = (
            keyed_normals(
                sampler.key, first_path=first + low, paths=high - low, draw=0, dimension=size
            )
            if given is None
            else given[low:high]
        )
        states = path[low:high]
        if record == "moments":
            states = np.empty((high - low, times, size))
        run = _run_kernel if isinstance(sampler.score, EmpiricalScore) else _run_callable
        end[low:high] = run(sampler, first + low, start, states)
        if record == "moments":
            for row in range(0, high - low, group):
                moments = combined(moments, moments_of(states[row : row + group]))
    return ReverseRun(end, path if record == "path" else None, moments)


def _run_callable(sampler: _Sampler, first_path: int, start: Array, states: Array) -> Array:
    """Return the last states (M, d); ``states`` (M, K + 1, d) receives all, unless empty."""
    y = np.array(start)
    states[:, 0] = y[: len(states)]
    for k in range(len(sampler.times.steps)):
        noise = None
        if sampler.factors.noisy:
            noise = sampler.factors.noise[k] * keyed_normals(
                sampler.key,
                first_path=first_path,
                paths=len(y),
                draw=k + 1,
                dimension=y.shape[1],
            )
        y = advanced(sampler.score, sampler.factors, sampler.times, k, y, noise, first_path)
        states[:, k + 1] = y[: len(states)]
    return y


def _run_kernel(sampler: _Sampler, first_path: int, start: Array, states: Array) -> Array:
    """Return the same, for the empirical score."""
    assert isinstance(sampler.score, EmpiricalScore)
    problem = sampler.score.at_times(sampler.times.noise_times)
    end, left = kernel_paths(problem, sampler.factors, sampler.key, first_path, start, states)
    if left is None:
        return end
    # The same path once more, up to the step that failed, for the point it failed at.
    step, row = left
    u = float(sampler.times.noise_times[step])
    nothing = np.empty((0, step + 1, start.shape[1]))
    point, _ = kernel_paths(
        problem,
        sampler.factors.before(step),
        sampler.key,
        first_path + row,
        start[row : row + 1],
        nothing,
    )
    raise ValueError(left_domain(point[0], u, step, first_path + row))


def _checked_integer(name: str, value: SupportsIndex, least: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, (bool, np.bool_)) or number < least:
        raise ValueError(f"{name} = {value!r}: an integer ≥ {least} is needed; pass {least}, say")
    return number


def _checked_initial(initial: ArrayLike, paths: int, dimension: int) -> Array:
    start = checked_points("initial", initial, "M")
    if start.shape != (paths, dimension):
        raise ValueError(
            f"initial has shape {start.shape}; it must be ({paths}, {dimension}), one row per "
            "path: pass that many rows"
        )
    return start
