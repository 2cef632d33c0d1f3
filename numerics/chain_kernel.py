"""Compiled pairs of training chains: one pair at a time, both chains side by side.

A pair's numbers depend on its index and its data alone, so that threads and blocks change no bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit, prange, types
from numba.extending import overload
from numpy.typing import NDArray

from numerics.chain_gradients import Constants, Features, feature_gradient, variance_gradients
from numerics.chain_streams import Sizes, draw_steps, new_draws, steps_together
from numerics.counter_streams import Key

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Run = Callable[..., None]

#: Couplings of the Gaussian noise.
SYNCHRONOUS, REFLECTION, REFLECTION_MAXIMAL = range(3)

#: A chain whose parameter leaves [-1e100, 1e100] is stopped.
LARGEST_PARAMETER = 1e100


class Levels(NamedTuple):
    """Noise levels as compiled code takes them."""

    mu: Array
    sigma: Array
    cumulative: Array
    mass: float


class Rule(NamedTuple):
    """One step of SGD; without clipping or projection their radius is infinite."""

    step_size: Array  # (K,)
    weight_decay: float
    clip: float
    per_sample: bool
    noise: float
    coupling: int
    radius: float


# What is infinite or not a number is found at the end of a step.
@njit(cache=True, error_model="numpy", forceinline=True)
def norm(vector: Array) -> float:
    """Return the Euclidean norm, without overflow; nan for entries that are not finite.

    Examples
    --------
    >>> norm(np.array([3e200, 4e200])) / 1e200
    5.0
    """
    largest = 0.0
    for c in range(len(vector)):
        if not abs(vector[c]) <= largest:
            largest = abs(vector[c])
    if largest == 0.0:
        return 0.0
    total = 0.0
    for c in range(len(vector)):
        total += (vector[c] / largest) ** 2
    return largest * math.sqrt(total)


@njit(cache=True, error_model="numpy", forceinline=True)
def shrink(vector: Array, radius: float) -> None:
    """Project on the ball of a radius, in place.

    Examples
    --------
    >>> vector = np.array([3.0, 4.0])
    >>> shrink(vector, 2.5)
    >>> vector.tolist()
    [1.5, 2.0]
    """
    if radius == np.inf:
        return
    length = norm(vector)
    if length > radius:
        for c in range(len(vector)):
            vector[c] *= radius / length


@njit(cache=True, error_model="numpy", forceinline=True)
def add_noise(
    first: Array, second: Array, noise: Array, deviation: float, coupling: int, u: float
) -> None:
    """Add coupled noise of a standard deviation to two means, in place.

    ``u`` is a uniform: "reflection-maximal" makes the results equal if it is below
    φ(z + h)/φ(z), where h is the distance of the means in deviations and z the noise along it.

    Examples
    --------
    >>> first, second = np.array([1.0]), np.array([-1.0])
    >>> add_noise(first, second, np.array([0.5]), 1.0, REFLECTION, 0.0)
    >>> first.tolist(), second.tolist()
    ([1.5], [-1.5])
    """
    count = len(first)
    largest = 0.0
    for c in range(count):
        largest = max(largest, abs(first[c] - second[c]))
    if coupling == SYNCHRONOUS or largest == 0.0:
        for c in range(count):
            first[c] += deviation * noise[c]
            second[c] += deviation * noise[c]
        return
    # Dividing by the largest entry first makes a unit vector of any difference, however small.
    length = 0.0
    along = 0.0
    for c in range(count):
        e = (first[c] - second[c]) / largest
        length += e * e
        along += e * noise[c]
    length = math.sqrt(length)
    along /= length
    h = largest * length / deviation
    if coupling == REFLECTION_MAXIMAL and u < math.exp(-h * (along + 0.5 * h)):
        for c in range(count):
            first[c] += deviation * noise[c]
            second[c] = first[c]
        return
    for c in range(count):
        e = (first[c] - second[c]) / (largest * length)
        first[c] += deviation * noise[c]
        second[c] += deviation * (noise[c] - 2.0 * along * e)


def _all_gradients(model: Any, theta: Any, x0: Any, z: Any, mu: Any, sigma: Any, out: Any) -> None:
    """Write gradients at all draws; ``model`` is Constants, or a user's compiled gradient."""
    raise NotImplementedError  # compiled code has it below


@overload(_all_gradients)
def _compiled_gradients(  # type: ignore[no-untyped-def]
    model, theta, x0, z, mu, sigma, out
):
    def draw_by_draw(model, theta, x0, z, mu, sigma, out):  # type: ignore[no-untyped-def]
        many, count = len(mu), len(theta)
        dimension = len(z) // many
        for r in range(many):
            low = r * dimension
            high = low + dimension
            own = out[r * count : (r + 1) * count]
            one_gradient(model, theta, x0[low:high], z[low:high], mu[r], sigma[r], own)

    if isinstance(model, types.Dispatcher):
        one_gradient = _user_gradient
        return draw_by_draw
    if model.instance_class is Features:
        one_gradient = feature_gradient
        return draw_by_draw
    return lambda model, theta, x0, z, mu, sigma, out: variance_gradients(
        model, theta, x0, z, mu, sigma, out
    )


@njit
def _user_gradient(model, theta, x0, z, mu, sigma, out):  # type: ignore[no-untyped-def]
    model(theta, x0, z, mu, sigma, out)


# What follows is not cached by itself, as numba cannot cache code for a function that is given a
# function; the code for built-in models is cached with the loop over pairs. Arrays are taken out
# of their tuples once per pair: doing so counts references, which takes longer than a gradient.
@njit(error_model="numpy", forceinline=True)
def _clipped_mean(  # type: ignore[no-untyped-def]
    gradients, batch, redraws, mass, per_sample, clip, sample, out
):
    """Write the clipped mean of a step's gradients to ``out``."""
    count = len(out)
    for c in range(count):
        out[c] = 0.0
    for b in range(batch):
        for c in range(count):
            sample[c] = 0.0
        for r in range(b * redraws, (b + 1) * redraws):
            for c in range(count):
                sample[c] += gradients[r * count + c]
        for c in range(count):
            sample[c] *= mass / redraws
        if per_sample:
            shrink(sample, clip)
        for c in range(count):
            out[c] += sample[c]
    for c in range(count):
        out[c] /= batch
    if not per_sample:
        shrink(out, clip)


@njit(error_model="numpy", forceinline=True)
def _gather(  # type: ignore[no-untyped-def]
    data, chosen, level, level_mu, level_sigma, t, batch, redraws, points, others, mu, sigma
):
    """Write what the draws of a step see; return whether the replaced sample is among it."""
    last, dimension = len(data) - 1, data.shape[1]
    hit = False
    for b in range(batch):
        i = chosen[t, b]
        other = last if i == 0 else i
        hit = hit or i == 0
        for r in range(b * redraws, (b + 1) * redraws):
            mu[r] = level_mu[level[t, r]]
            sigma[r] = level_sigma[level[t, r]]
            for c in range(dimension):
                points[r * dimension + c] = data[i, c]
                others[r * dimension + c] = data[other, c]
    return hit


@njit(error_model="numpy", forceinline=True)
def _equal(first, second):  # type: ignore[no-untyped-def]
    same = True
    for c in range(len(first)):
        same = same and first[c] == second[c]
    return same


@njit(error_model="numpy")
def _run_pair(  # type: ignore[no-untyped-def]
    model, rule, levels, sizes, key, pair, together, data, first, second, record, kept
):
    """Run one pair in place, from ``first`` equal to ``second``.

    Returns the step that left the domain, or -1; ``kept`` (R, 2, p) receives the two parameters
    after the steps that ``record`` names.
    """
    step_size, weight_decay, clip, per_sample, noise, coupling, radius = rule
    level_mu, level_sigma, cumulative, mass = levels
    batch, redraws, count = sizes.batch, sizes.redraws, sizes.parameters
    many = batch * redraws
    points, others = np.empty(many * sizes.dimension), np.empty(many * sizes.dimension)
    mu, sigma, gradients = np.empty(many), np.empty(many), np.empty(many * count)
    sample, step, other_step = np.empty(count), np.empty(count), np.empty(count)
    order = np.arange(sizes.size)
    noisy = noise > 0.0
    accepting = noisy and coupling == REFLECTION_MAXIMAL
    draws = new_draws(sizes, together, noisy, accepting)
    chosen, level, all_z, all_noise, accept = draws
    z, normals = np.empty(many * sizes.dimension), np.empty(count)
    row = 0
    if len(record) > 0 and record[0] == 0:
        kept[0, 0] = first
        kept[0, 1] = second
        row = 1
    for k in range(len(step_size)):
        t = k % together
        if t == 0:
            draw_steps(key, pair, k, sizes, cumulative, order, draws)
        same = _equal(first, second)
        hit = _gather(
            data, chosen, level, level_mu, level_sigma, t, batch, redraws, points, others, mu, sigma
        )
        for n in range(len(z)):
            z[n] = all_z[t, n]
        _all_gradients(model, first, points, z, mu, sigma, gradients)
        _clipped_mean(gradients, batch, redraws, mass, per_sample, clip, sample, step)
        if same and not hit:  # chains that have met go on as one
            for c in range(count):
                other_step[c] = step[c]
        else:
            _all_gradients(model, second, others, z, mu, sigma, gradients)
            _clipped_mean(gradients, batch, redraws, mass, per_sample, clip, sample, other_step)
        length = step_size[k]
        for c in range(count):
            first[c] = (1.0 - length * weight_decay) * first[c] - length * step[c]
            second[c] = (1.0 - length * weight_decay) * second[c] - length * other_step[c]
        if noisy:
            for c in range(count):
                normals[c] = all_noise[t, c]
            u = accept[t] if accepting else 0.0
            add_noise(first, second, normals, length * noise, coupling, u)
        shrink(first, radius)
        shrink(second, radius)
        for c in range(count):
            inside = abs(first[c]) <= LARGEST_PARAMETER and abs(second[c]) <= LARGEST_PARAMETER
            if not inside:
                return k
        if row < len(record) and record[row] == k + 1:
            kept[row, 0] = first
            kept[row, 1] = second
            row += 1
    return -1


@njit(cache=True, parallel=True)
def _run_built_in(  # type: ignore[no-untyped-def]
    constants, rule, levels, sizes, key, first_pair, together, data, start, record, kept, failed
):
    for index in prange(len(data)):
        i = int(np.int64(index))  # prange counts in uint64
        failed[i] = _run_pair(
            constants, rule, levels, sizes, key, first_pair + i, together, data[i], start.copy(),
            start.copy(), record, kept[i],
        )  # fmt: skip


@lru_cache(maxsize=8)
def _user_runner(gradient: Any) -> Run:
    """Compile the loop over pairs around a user's gradient."""

    @njit(parallel=True)
    def run(  # type: ignore[no-untyped-def]
        rule, levels, sizes, key, first_pair, together, data, start, record, kept, failed
    ):
        for index in prange(len(data)):
            i = int(np.int64(index))
            failed[i] = _run_pair(
                gradient, rule, levels, sizes, key, first_pair + i, together, data[i],
                start.copy(), start.copy(), record, kept[i],
            )  # fmt: skip

    return run


def kernel_pairs(
    model: Constants | Callable[..., Any],
    rule: Rule,
    levels: Levels,
    sizes: Sizes,
    key: Key,
    first_pair: int,
    data: Array,
    start: Array,
    record: Integers,
    kept: Array,
) -> Integers:
    """Run the pairs on ``data`` (n, N + 1, d), the last sample of which replaces the first.

    Parameters
    ----------
    model : Constants or numba function
        A built-in model, or a user's gradient.
    kept : ndarray, shape (n, R, 2, p)
        Receives the parameters after the steps of ``record`` (R,), increasing.

    Returns
    -------
    ndarray of int64, shape (n,)
        For each pair the step that left [-1e100, 1e100], or -1.
    """
    failed = np.empty(len(data), dtype=np.int64)
    together = steps_together(sizes, len(rule.step_size))
    rest = (rule, levels, sizes, key, first_pair, together, data, start, record, kept, failed)
    if isinstance(model, tuple):
        _run_built_in(model, *rest)
    else:
        _user_runner(model)(*rest)
    return failed
