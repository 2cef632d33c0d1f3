"""Score stability of a user's own data, estimated for the empirical score.

The data are shuffled and cut into blocks.  Each block is one independent replicate of the
experiment behind the theorems: N points to train on, a few held out to play the replacement and
the test set.  Intervals come from the spread between blocks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from numerics.empirical import posterior_moments
from numerics.stability import score_stability
from numerics.streams import Rng, keyed, seed_sequence
from proofs_check.datasets import checked_points
from proofs_check.errors import UsageError

FloatArray = NDArray[np.float64]

#: What a comparison of two sides can say.
Outcome = Literal["lhs <= rhs at this confidence", "undecided", "violated"]

_UNIT = 2.0**-53
# Streams: one names the shuffle, the others a block and a time.
_SHUFFLE, _HELD_OUT, _TRAINING = 0, 1, 2
_CAVEAT = (
    "Student-t intervals over independent blocks, asymptotic in the number of blocks; "
    "Bonferroni over all measured quantities, so the confidence is simultaneous; rows are taken "
    "to be independent draws of one law; roundoff is included"
)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured mean over blocks and its simultaneous interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval derived from simultaneous intervals by monotonicity."""

    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class TimeStability:
    """One time atom, its contribution before weighting.

    Attributes
    ----------
    time, mu, sigma, weight
        The atom; ``X_t`` given ``X_0`` is N(mu X_0, sigma^2 I).
    noise_to_data
        ``sigma / (mu * scale)``: far below the distance between neighbours over ``scale`` the
        empirical score memorises, far above 1 it forgets the data.
    eps_stab_squared, l_dsm, l_dsm_hat
        As in ``DataStability``, for this time alone with weight 1.
    """

    time: float
    mu: float
    sigma: float
    weight: float
    noise_to_data: float
    eps_stab_squared: Estimate
    l_dsm: Estimate
    l_dsm_hat: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides of one inequality as measured, and what may be said about it."""

    statement: str
    source: str
    lhs: Interval
    rhs: Interval
    margin: Interval
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Replicate:
    """One block at one time, for whoever measures more on it.

    Attributes
    ----------
    block, index
        Which block, and which time atom.
    train, held
        The block's training (N, d) and held-out points (h, d).
    mu, sigma
        Of the atom.
    queries, seen
        Noised held-out points (h, M, d) and noised training points (N, d).
    values, errors
        (eps_stab^2, l_dsm, l_dsm_hat) and their roundoff bounds.
    """

    block: int
    index: int
    train: FloatArray
    held: FloatArray
    mu: float
    sigma: float
    queries: FloatArray
    seen: FloatArray
    values: FloatArray
    errors: FloatArray


@dataclass(frozen=True, slots=True)
class DataStability:
    """Score stability of the empirical score on one data set.

    Losses and ``eps_stab_squared`` are squared scores, in 1 / (units of the data)^2, integrated
    over the time atoms.

    Attributes
    ----------
    rows, dimension, unused_rows
        Size of the data, and rows left over by the cut into blocks.
    blocks, training_points, held_out_points, noise_draws
        The design: N training and h held-out points per block, noise draws per held-out point.
    confidence, caveat
        Simultaneous over every ``Estimate`` in the record; what the intervals rest on.
    scale
        Root mean square distance of the rows to their mean, in units of the data.
    eps_stab_squared, eps_stab
        Squared stability constant at sample size N, and its root.
    l_dsm, l_dsm_hat
        Expected denoising loss on held-out and on training points; the latter is also the
        expected conditional variance E C_sm_hat of the training set.
    C_sm
        Bracket of the irreducible loss: E C_sm_hat <= C_sm <= E l_dsm.
    l_sm
        Bracket of the excess loss E l_dsm - C_sm.
    times
        One row per atom.
    comparisons
        Theorem 3a and the two explicit forms of Theorem 3b.
    """

    rows: int
    dimension: int
    unused_rows: int
    blocks: int
    training_points: int
    held_out_points: int
    noise_draws: int
    confidence: float
    caveat: str
    scale: float
    eps_stab_squared: Estimate
    eps_stab: Estimate
    l_dsm: Estimate
    l_dsm_hat: Estimate
    C_sm: Interval
    l_sm: Interval
    times: tuple[TimeStability, ...]
    comparisons: tuple[Comparison, ...]


def parse_times(spec: str, *, eps: float = 0.01, horizon: float = 1.0) -> FloatArray:
    """Return the times that a short text stands for.

    Parameters
    ----------
    spec : str
        ``log:20`` or ``lin:20`` (so many times from ``eps`` to ``horizon``, spaced evenly in
        log t or in t; ``log:1`` is ``eps`` alone), or the times themselves, ``0.1,0.3``.
    eps, horizon : float
        Early stopping time and last time, 0 < eps <= horizon, in units of time.

    Returns
    -------
    ndarray, shape (number of times,)

    Raises
    ------
    UsageError
        One line: text of another form, no times, a time outside [eps, horizon].

    Examples
    --------
    >>> parse_times("log:3", eps=0.01).round(6).tolist()
    [0.01, 0.1, 1.0]
    >>> parse_times("0.1, 0.3").tolist()
    [0.1, 0.3]
    """
    if not (math.isfinite(eps) and math.isfinite(horizon) and 0.0 < eps <= horizon):
        raise UsageError(
            f"eps = {eps}, horizon = {horizon}: 0 < eps <= horizon must hold; "
            "pass an earlier stopping time"
        )
    spacing, colon, number = spec.partition(":")
    spacing = spacing.strip()
    if colon:
        if spacing not in ("log", "lin") or not number.strip().isdecimal() or int(number) < 1:
            raise UsageError(
                f"times = {spec!r}: must be log:COUNT or lin:COUNT with COUNT >= 1, or a list "
                "such as 0.1,0.3"
            )
        if spacing == "lin":
            return np.linspace(eps, horizon, int(number))
        times = np.geomspace(eps, horizon, int(number))
        return np.clip(times, eps, horizon)
    try:
        times = np.array([float(part) for part in spec.split(",")])
    except ValueError:
        raise UsageError(
            f"times = {spec!r}: must be log:COUNT, lin:COUNT or numbers separated by commas"
        ) from None
    outside = ~((times >= eps) & (times <= horizon))
    if outside.any():
        raise UsageError(
            f"times = {spec!r}: {times[outside][0]} lies outside [eps, horizon] = "
            f"[{eps}, {horizon}]; choose times inside, or move the ends"
        )
    return times


def data_stability(
    data: ArrayLike,
    *,
    times: ArrayLike,
    mu: ArrayLike,
    sigma: ArrayLike,
    weights: ArrayLike | None = None,
    blocks: int = 10,
    noise_draws: int = 8,
    rng: Rng = 0,
    confidence: float = 0.99,
    progress: Callable[[int, int], None] | None = None,
    observe: Callable[[Replicate], None] | None = None,
) -> DataStability:
    """Estimate the stability constant and both sides of Theorem 3 for the empirical score.

    Parameters
    ----------
    data : array_like, shape (n, d)
        Independent rows of one unknown law; n >= 2 * blocks.
    times, mu, sigma : array_like, shape (k,)
        Time atoms and the noising kernel N(mu x, sigma^2 I) at each; sigma in units of the data.
    weights : array_like, shape (k,), optional
        Mass of the time measure at each atom, at least 0; 1 / k when None.
    blocks : int
        Number of independent replicates, at least 2.  Each trains on N points: a tenth of a
        block (at least one point) is held out.
    noise_draws : int
        Noise draws per held-out point and time; training points get one each.
    rng : int, SeedSequence or Generator
        Seed of the shuffle and of all noise; the result has the same bits for any threads.
    confidence : float
        Probability in (0, 1) that every interval holds, in the limit of many blocks.
    progress : callable, optional
        Called as ``progress(done, total)`` after each block and time.
    observe : callable, optional
        Called with each `Replicate`, before ``progress``.

    Returns
    -------
    DataStability
        Estimates at sample size N, per time and in total, with the comparisons of Theorem 3.

    Raises
    ------
    UsageError, ValueError
        One line: bad data, too few rows for the blocks, arrays of different lengths, numbers
        outside their domain, results beyond the float64 range.

    Notes
    -----
    Half of the error probability goes to the three totals, half to the table.  Where a quantity
    does not vary between blocks the spread says nothing and the interval is [0, inf).

    References
    ----------
    farghly2026, arXiv 2507.03756: definition of score stability; Theorem 3a (constant 1);
    Theorem 3b with the constants 2, 1 in place of the paper's unnamed one.

    Examples
    --------
    >>> points = np.random.default_rng(0).standard_normal((400, 2))
    >>> found = data_stability(points, times=[0.5], mu=[0.6], sigma=[0.8])
    >>> found.training_points, found.comparisons[0].outcome
    (36, 'undecided')
    """
    points = checked_points("data", np.asarray(data))
    instants = _vector("times", times, None, 0.0)
    mus = _vector("mu", mu, instants.size, 0.0)
    sigmas = _vector("sigma", sigma, instants.size, 0.0)
    if not (sigmas > 0.0).all():
        raise UsageError(f"sigma = {sigmas.min()}: must be positive; stop at a later time")
    masses = (
        np.full(instants.size, 1.0 / instants.size)
        if weights is None
        else _vector("weights", weights, instants.size, 0.0)
    )
    if not masses.any():
        raise UsageError("weights = all 0: some time must have mass; pass a positive weight")
    count = _whole("blocks", blocks, 2)
    draws = _whole("noise_draws", noise_draws, 1)
    if not 0.0 < confidence < 1.0:
        raise UsageError(f"confidence = {confidence}: must lie strictly between 0 and 1")
    rows, dimension = points.shape
    size = rows // count
    if size < 2:
        raise UsageError(
            f"data has {rows} rows: {count} blocks need at least {2 * count}; "
            f"use blocks={rows // 2} or fewer, or more rows"
            if rows >= 4
            else f"data has {rows} rows: two blocks need at least 4; give more rows"
        )
    held_out = max(1, round(size / 10))
    training = size - held_out
    root = seed_sequence(rng)
    order = keyed(root, _SHUFFLE).permutation(rows)
    values = np.empty((count, instants.size, 3))
    errors = np.empty_like(values)
    total = count * instants.size
    for block in range(count):
        chosen = points[order[block * size : (block + 1) * size]]
        for index in range(instants.size):
            replicate = _replicate(
                block, index, chosen[:training], chosen[training:], float(mus[index]),
                float(sigmas[index]), draws, keyed(root, _HELD_OUT, block, index),
                keyed(root, _TRAINING, block, index),
            )  # fmt: skip
            values[block, index], errors[block, index] = replicate.values, replicate.errors
            if observe is not None:
                observe(replicate)
            if progress is not None:
                progress(block * instants.size + index + 1, total)
    error_rate = 0.5 * (1.0 - confidence)
    sums = np.einsum("k,bkq->bq", masses, values)
    sum_errors = np.einsum("k,bkq->bq", masses, np.where(masses[:, None] > 0.0, errors, 0.0))
    sum_errors = sum_errors + (instants.size + 4) * _UNIT * sums
    if not (np.isfinite(values).all() and np.isfinite(sums).all()):
        raise UsageError(
            f"sigma = {sigmas.min()}: squared scores exceed the float64 range; rescale data and "
            "sigma by one factor, or stop at a later time"
        )
    eps_squared, loss, train_loss = (
        over_blocks(sums[:, q], sum_errors[:, q], error_rate / 3.0, training == 1 and q == 2)
        for q in range(3)
    )
    scale = _scale(points)
    table = []
    for index in range(instants.size):
        row = [
            over_blocks(
                values[:, index, q], errors[:, index, q], error_rate / (3.0 * instants.size),
                training == 1 and q == 2,
            )
            for q in range(3)
        ]  # fmt: skip
        signal = float(mus[index]) * scale
        table.append(
            TimeStability(
                time=float(instants[index]),
                mu=float(mus[index]),
                sigma=float(sigmas[index]),
                weight=float(masses[index]),
                noise_to_data=float(sigmas[index]) / signal if signal > 0.0 else math.inf,
                eps_stab_squared=row[0],
                l_dsm=row[1],
                l_dsm_hat=row[2],
            )
        )
    eps = Estimate(
        math.sqrt(eps_squared.value), math.sqrt(eps_squared.lower), math.sqrt(eps_squared.upper)
    )
    bracket = Interval(min(train_loss.lower, loss.upper), loss.upper)
    excess = Interval(max(0.0, loss.lower - bracket.upper), loss.upper - bracket.lower)
    return DataStability(
        rows=rows,
        dimension=dimension,
        unused_rows=rows - count * size,
        blocks=count,
        training_points=training,
        held_out_points=held_out,
        noise_draws=draws,
        confidence=float(confidence),
        caveat=_CAVEAT,
        scale=scale,
        eps_stab_squared=eps_squared,
        eps_stab=eps,
        l_dsm=loss,
        l_dsm_hat=train_loss,
        C_sm=bracket,
        l_sm=excess,
        times=tuple(table),
        comparisons=compare(eps, loss, train_loss, bracket, excess),
    )


def compare(
    eps: Estimate, loss: Estimate, train_loss: Estimate, bracket: Interval, excess: Interval
) -> tuple[Comparison, ...]:
    """Return both sides of Theorem 3a and of the explicit forms of 3b, and their outcomes.

    Parameters
    ----------
    eps, loss, train_loss : Estimate
        eps_stab, E l_dsm and E l_dsm_hat with simultaneous intervals.
    bracket, excess : Interval
        C_sm and E l_sm = E l_dsm - C_sm.

    Returns
    -------
    tuple of Comparison
        Every side and margin (rhs - lhs) is monotone in what was measured, so its interval is
        spanned by the ends of the intervals.  In 3b both sides move with the unknown C_sm; the
        margin grows with it and is taken over the whole bracket.  As its upper end is E l_dsm,
        the forms of 3b can be supported or undecided, never violated.

    Examples
    --------
    >>> zero = Estimate(0.0, 0.0, 0.0)
    >>> found = compare(Estimate(1.0, 0.9, 1.1), Estimate(0.5, 0.4, 0.6), zero,
    ...                 Interval(0.0, 0.6), Interval(0.0, 0.6))
    >>> found[0].outcome
    'lhs <= rhs at this confidence'
    """
    low_eps, high_eps = eps.lower, eps.upper
    low_c, high_c = bracket.lower, bracket.upper
    first = comparison(
        "sqrt(E l_dsm) - sqrt(E l_dsm_hat) <= eps_stab",
        "farghly2026, arXiv 2507.03756, Theorem 3a",
        Interval(
            math.sqrt(loss.lower) - math.sqrt(train_loss.upper),
            math.sqrt(loss.upper) - math.sqrt(train_loss.lower),
        ),
        Interval(low_eps, high_eps),
        Interval(
            low_eps + math.sqrt(train_loss.lower) - math.sqrt(loss.upper),
            high_eps + math.sqrt(train_loss.upper) - math.sqrt(loss.lower),
        ),
    )
    second = comparison(
        "E l_sm <= 2 eps_stab sqrt(C_sm) + eps_stab^2  (E l_sm_hat = 0)",
        "farghly2026, arXiv 2507.03756, Theorem 3b, explicit constants",
        excess,
        Interval(
            low_eps * (2.0 * math.sqrt(low_c) + low_eps),
            high_eps * (2.0 * math.sqrt(high_c) + high_eps),
        ),
        Interval(
            low_eps * (2.0 * math.sqrt(low_c) + low_eps) + low_c - loss.upper,
            high_eps * (2.0 * math.sqrt(high_c) + high_eps) + high_c - loss.lower,
        ),
    )
    third = comparison(
        "E l_sm <= 2 eps_stab sqrt(C_sm) + 2 eps_stab^2  (E l_sm_hat = 0)",
        "farghly2026, arXiv 2507.03756, Theorem 3b, separated form",
        excess,
        Interval(
            2.0 * low_eps * (math.sqrt(low_c) + low_eps),
            2.0 * high_eps * (math.sqrt(high_c) + high_eps),
        ),
        Interval(
            2.0 * low_eps * (math.sqrt(low_c) + low_eps) + low_c - loss.upper,
            2.0 * high_eps * (math.sqrt(high_c) + high_eps) + high_c - loss.lower,
        ),
    )
    return first, second, third


def comparison(
    statement: str, source: str, lhs: Interval, rhs: Interval, margin: Interval
) -> Comparison:
    """Name the outcome that an interval of rhs - lhs allows; NaN decides nothing.

    Examples
    --------
    >>> side = Interval(1.0, 2.0)
    >>> comparison("a <= b", "", side, side, Interval(-0.5, 0.5)).outcome
    'undecided'
    """
    outcome: Outcome = "undecided"
    # Margins within rounding of zero decide nothing.
    rounding = 64.0 * _UNIT
    if margin.lower >= rounding * max(lhs.upper, rhs.lower):
        outcome = "lhs <= rhs at this confidence"
    elif margin.upper < -rounding * max(abs(lhs.lower), rhs.upper):
        outcome = "violated"
    return Comparison(statement, source, lhs, rhs, margin, outcome)


def _replicate(
    block: int,
    index: int,
    train: FloatArray,
    held: FloatArray,
    mu: float,
    sigma: float,
    draws: int,
    held_noise: np.random.Generator,
    train_noise: np.random.Generator,
) -> Replicate:
    """Measure one block at one time.

    The denoising loss is ``(mu / sigma^2)^2 |E[X_0 | X_t] - X_0|^2``.  On training points its
    mean given X_t is the posterior variance, which is averaged instead: the same expectation
    with less noise.
    """
    number, dimension = held.shape
    noise = held_noise.standard_normal((number, draws, dimension))
    queries = mu * held[:, None, :] + sigma * noise
    changes = np.array(
        [
            score_stability(train, point, probes, mu=mu, sigma=sigma, return_radius=True)
            for point, probes in zip(held, queries, strict=True)
        ]
    )
    factor = mu / sigma / sigma
    probes = queries.reshape(-1, dimension)
    seen = mu * train + sigma * train_noise.standard_normal(train.shape)
    mean, trace, mean_error, trace_error = posterior_moments(
        np.concatenate([probes, seen]), train, mu=mu, sigma=sigma, return_radius=True
    )
    split = len(probes)
    trace, trace_error = trace[split:], trace_error[split:]
    gap = mean[:split] - np.repeat(held, draws, axis=0)
    gap_error = mean_error[:split] + 2.0 * _UNIT * np.abs(gap)
    loss = float(np.mean(np.sum(gap * gap, axis=1)))
    worst = np.sum((2.0 * np.abs(gap) + gap_error) * gap_error, axis=1)
    loss_error = float(np.mean(worst)) + (queries.size + 8) * _UNIT * loss
    train_loss = float(np.mean(trace))
    train_error = float(np.mean(trace_error)) + (trace.size + 8) * _UNIT * train_loss
    change = float(np.mean(changes[:, 0]))
    change_error = float(np.mean(changes[:, 1])) + (changes.size + 8) * _UNIT * change
    square = factor * factor
    values = [change, square * loss, square * train_loss]
    errors = [change_error, *(_times(square, error) for error in (loss_error, train_error))]
    return Replicate(
        block, index, train, held, mu, sigma, queries, seen, np.array(values), np.array(errors)
    )


def _times(factor: float, error: float) -> float:
    """Scale an error bound; with factor 0 an unknown error is none."""
    return factor * error * (1.0 + 1e-9) if factor > 0.0 else 0.0


def over_blocks(
    replicates: FloatArray, roundoff: FloatArray, error_rate: float, is_zero: bool
) -> Estimate:
    """Mean and two-sided Student interval, clipped at 0 and widened by the mean roundoff.

    ``is_zero`` marks what is 0 by theory: one training point leaves no posterior variance.

    Examples
    --------
    >>> found = over_blocks(np.array([1.0, 2.0]), np.zeros(2), 0.5, False)
    >>> found.value, round(found.lower, 6), round(found.upper, 6)
    (1.5, 1.0, 2.0)
    """
    if is_zero:
        return Estimate(0.0, 0.0, 0.0)
    value = float(np.mean(replicates))
    deviation = float(np.std(replicates, ddof=1))
    rounding = float(np.mean(roundoff))
    if not deviation > 0.0:
        return Estimate(value, 0.0, math.inf)
    quantile = float(stats.t.isf(0.5 * error_rate, replicates.size - 1))
    half = quantile * deviation / math.sqrt(replicates.size) + rounding
    if not math.isfinite(half):
        return Estimate(value, 0.0, math.inf)
    return Estimate(value, max(0.0, value - half), value + half)


def _scale(points: FloatArray) -> float:
    """Root mean square distance to the mean, safe from overflow."""
    centred = points - points.mean(axis=0)
    largest = float(np.abs(centred).max())
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.mean(np.sum((centred / largest) ** 2, axis=1))))


def _vector(name: str, value: ArrayLike, size: int | None, lowest: float) -> FloatArray:
    """Return finite float64 numbers (k,) of at least ``lowest``."""
    raw = np.asarray(value)
    if raw.dtype.kind not in "fiu" or raw.ndim != 1 or raw.size == 0:
        raise UsageError(f"{name} = {value!r}: must be a list of at least one number")
    array = raw.astype(np.float64)
    if size is not None and array.size != size:
        raise UsageError(
            f"{name} has {array.size} entries: there are {size} times; give one for each"
        )
    bad = ~(np.isfinite(array) & (array >= lowest))
    if bad.any():
        index = int(np.argmax(bad))
        raise UsageError(
            f"{name}[{index}] = {array[index]}: must be finite and at least {lowest:g}; mend it"
        )
    return array


def _whole(name: str, value: object, lowest: int) -> int:
    """Return ``value`` if it is an integer of at least ``lowest``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < lowest:
        raise UsageError(f"{name} = {value!r}: must be an integer of at least {lowest}")
    return int(value)
