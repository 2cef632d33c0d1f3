"""The uniform grids of a noisy sampler in the plane, chosen anew at every step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.density_plane_kernels import PlaneScore, scatter, smoothed
from numerics.density_plane_result import PlaneDensity, places
from numerics.density_steps import NoisyMethod, affine_parts
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

# Mass per side beyond the grids, and how many standard deviations of a transition that is.
_TAIL, _TAIL_REACH = 1e-16, 8.3
# Half the width that holds a standard normal to 1e-16.
_NORMAL_REACH = 8.3
# Below this part of the peak density the map may be steeper than the grid resolves.
_FAINT = 1e-14
# Share of a uniform law when errors are averaged over places.
_UNIFORM = 1e-3
# Masses smaller than this are not carried on: products of two decays would be denormal.
_NEGLIGIBLE = 1e-280
_MOST_TRIES = 5
_BYTES_PER_NODE = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """The sampler, the part of the plane wanted and how finely to work.

    ``spacing`` is in standard deviations of the narrowest Gaussian to resolve, ``reach`` in those
    of a transition.
    """

    score: PlaneScore
    times: SamplerTimes
    method: NoisyMethod
    interval: tuple[float, float]
    most_nodes: int
    spacing: float
    reach: float


def plane_densities(plan: Plan) -> Iterator[PlaneDensity]:
    """Yield the density at every step, from the standard normal law on."""
    count, steps = len(plan.times.steps), plan.times.steps
    variances = [affine_parts(plan.method, float(step))[2] for step in steps]
    corner = np.full(2, _NORMAL_REACH)
    smooth, share, skipped = 1.0, 1.0, 0.0
    sources: tuple[Array, Array] | None = None
    for k in range(count + 1):
        following = variances[k] if k < count else smooth
        share = share if k < count else 1.0
        low, high = (
            _square(plan, k, -corner, corner)
            if sources is None
            else _range(plan, k, *sources, smooth)
        )
        spacing = plan.spacing * min(share, math.sqrt(0.5)) * math.sqrt(min(smooth, following))
        for _ in range(_MOST_TRIES):
            x, y = _axes(plan, k, low, high, spacing)
            density = (
                _standard_normal(x, y)
                if sources is None
                else _scattered(plan, *sources, smooth, x, y)
            )
            state = PlaneDensity(k, float(plan.times.noise_times[k]), x, y, density, skipped)
            if k == count:
                break
            means = _means(plan, k, x, y)
            wanted = _spacing(plan, state, means, smooth, following)
            # The next step's is likely to be a little less.
            share = 0.95 * wanted / (plan.spacing * math.sqrt(min(smooth, following)))
            if spacing <= 1.01 * wanted:
                break
            spacing = wanted
        yield state
        if k == count:
            return
        masses = density.ravel() * state.cell
        kept = masses > _NEGLIGIBLE
        skipped += float(masses[~kept].sum())
        flat = means.reshape(-1, 2)[kept]
        rank = np.argsort(flat[:, 0], kind="stable")
        sources = masses[kept][rank], np.ascontiguousarray(flat[rank].T)
        smooth = variances[k]


def _scattered(
    plan: Plan, masses: Array, means: Array, variance: float, x: Array, y: Array
) -> Array:
    """Return the mixture of Gaussians of this variance on a grid.

    The Gaussians are first scattered with as little variance as the grid resolves, over few
    nodes, and the rest of the variance is given by convolving along both axes; all terms are
    positive, so nothing cancels.
    """
    spacings = [float(axis[1] - axis[0]) for axis in (x, y)]
    # The same rule as for the steps: one product of Gaussians, resolved by the grid.
    narrow = (max(spacings) / plan.spacing) ** 2
    if not 1.2 * narrow < variance:
        return np.asarray(scatter(masses, means[0], means[1], variance, plan.reach, x, y))
    # The product has variance narrow (variance - narrow) / variance.
    narrow = variance * (0.5 - math.sqrt(max(0.25 - narrow / variance, 0.0)))
    left = variance - narrow
    kernels, axes = [], []
    for axis, spacing in zip((x, y), spacings, strict=True):
        more = math.ceil(plan.reach * math.sqrt(left) / spacing)
        steps = spacing * np.arange(-more, more + 1)
        kernels.append(np.exp(-0.5 * steps**2 / left) * spacing / math.sqrt(2.0 * math.pi * left))
        axes.append(np.linspace(axis[0] + steps[0], axis[-1] + steps[-1], len(axis) + 2 * more))
    return np.asarray(
        smoothed(
            scatter(masses, means[0], means[1], narrow, plan.reach, axes[0], axes[1]),
            kernels[0],
            kernels[1],
        )
    )


def _standard_normal(x: Array, y: Array) -> Array:
    return np.asarray(np.exp(-0.5 * (x[:, None] ** 2 + y**2)) / (2.0 * math.pi))


def _square(plan: Plan, k: int, low: Array, high: Array) -> tuple[Array, Array]:
    """Return the corners of a box that holds this one and what matters to the interval.

    Seen from a place at the end the earlier ones spread like the forward process, inwards apart
    from noise of variance ``1 - exp(-2 (u_k - ε))``.
    """
    since = float(plan.times.noise_times[k] - plan.times.noise_times[-1])
    pad = (plan.reach - 2.0) * math.sqrt(-math.expm1(-2.0 * since))
    return np.minimum(low, plan.interval[0] - pad), np.maximum(high, plan.interval[1] + pad)


def _range(plan: Plan, k: int, masses: Array, means: Array, variance: float) -> tuple[Array, Array]:
    """Return the corners of a box that holds all the mass but a negligible part."""
    low, high = np.empty(2), np.empty(2)
    for axis in range(2):
        rank = np.argsort(means[axis], kind="stable")
        ordered, sums = means[axis][rank], np.cumsum(masses[rank])
        low[axis] = ordered[int(np.searchsorted(sums, _TAIL))]
        above = np.cumsum(masses[rank][::-1])
        high[axis] = ordered[::-1][int(np.searchsorted(above, _TAIL))]
    reach = _TAIL_REACH * math.sqrt(variance)
    return _square(plan, k, low - reach, high + reach)


def _axes(plan: Plan, k: int, low: Array, high: Array, spacing: float) -> tuple[Array, Array]:
    counts = [max(16, math.ceil(float(length) / spacing) + 1) for length in high - low]
    total = counts[0] * counts[1]
    if total > plan.most_nodes:
        raise ValueError(
            f"interval = {plan.interval!r}: step {k} at noise time "
            f"{float(plan.times.noise_times[k]):.3g} needs {counts[0]} x {counts[1]} nodes "
            f"({total * _BYTES_PER_NODE / 1e9:.2g} GB), most_nodes = {plan.most_nodes}: shorten "
            f"the interval, stop earlier, or pass most_nodes={total}"
        )
    x, y = (np.linspace(a, b, count) for a, b, count in zip(low, high, counts, strict=True))
    return x, y


def _means(plan: Plan, k: int, x: Array, y: Array) -> Array:
    """Return the next place's mean from every node, (n1, n2, 2)."""
    scale, slope, _ = affine_parts(plan.method, float(plan.times.steps[k]))
    nodes, u = places(x, y), float(plan.times.noise_times[k])
    values = np.asarray(plan.score(nodes, u), dtype=np.float64)
    if values.shape != nodes.shape:
        raise ValueError(
            f"score returned shape {values.shape} for places of shape {nodes.shape}; it must "
            "return the same: write it for rows of places"
        )
    if not np.all(np.isfinite(values)):
        worst = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise ValueError(
            f"score = {values[worst].tolist()} at x = {nodes[worst].tolist()}, u = {u!r}; it "
            "must be finite in the whole plane: write it without overflow"
        )
    return (scale * nodes + slope * values).reshape(len(x), len(y), 2)


def _spacing(
    plan: Plan, state: PlaneDensity, means: Array, smooth: float, following: float
) -> float:
    """Return the largest spacing at which the next step misplaces no more than is allowed.

    At every node the integrand is a product of Gaussians of standard deviation s, with
    ``1 / s^2 = 1 / smooth + slope^2 / following``; the misplaced part is averaged under the
    density mixed with a little of the uniform law on where it is not negligible, so that the gaps
    between data count.
    """
    steepest = np.zeros(state.density.shape)
    for axis, spacing in ((0, state.x[1] - state.x[0]), (1, state.y[1] - state.y[0])):
        slope = np.diff(means, axis=axis)
        square = np.einsum("ijk,ijk->ij", slope, slope) / spacing**2
        here = (slice(None, -1), slice(None))[:: 1 if axis == 0 else -1]
        there = (slice(1, None), slice(None))[:: 1 if axis == 0 else -1]
        np.maximum(steepest[here], square, out=steepest[here])
        np.maximum(steepest[there], square, out=steepest[there])
    bright = state.density > _FAINT * float(state.density.max())
    weight = state.density[bright] * state.cell
    weight = weight + _UNIFORM / len(weight)
    logarithm = -0.5 * np.log(1.0 / smooth + steepest[bright] / following)
    amount, edges = np.histogram(
        logarithm, 400, (logarithm.min() - 0.01, logarithm.max() + 0.01), weights=weight
    )
    # The lower end of each bin, the narrower.
    narrow = np.exp(edges[:-1])
    allowed = 4.0 * math.exp(-2.0 * (math.pi / plan.spacing) ** 2)
    low, high = plan.spacing * float(narrow[0]), plan.spacing * float(narrow[-1]) * 2.0
    for _ in range(30):
        middle = math.sqrt(low * high)
        misplaced = np.minimum(1.0, 4.0 * np.exp(-2.0 * (math.pi * narrow / middle) ** 2))
        if float(amount @ misplaced) <= allowed:
            low = middle
        else:
            high = middle
    return low
