"""The density of a probability flow, carried by particles.

The flow maps the line monotonically, so ``log q_{k+1}(m(x)) = log q_k(x) - log m'(x)`` along every
particle and nothing is interpolated. Particles start on Gauss panels; a panel is halved until its
image is short and the logarithms on it are resolved at every recorded step. Where the flow
collapses onto data it stretches the gaps exponentially; panels stop at 1e-8 of the place, and the
divergence then says through its error that the gap is not resolved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from numerics.density_panels import Panels, resolve, unresolved
from numerics.density_result import LineDensity
from numerics.density_score import Score
from numerics.density_steps import FlowMethod, flow_step
from numerics.sampler_times import SamplerTimes

Array = NDArray[np.float64]

_FIRST_WIDTH = 0.5
# Half the width that holds a standard normal to 1e-20.
_NORMAL_REACH = 9.5
# A smooth target of unit scale is resolved on images as long as this.
_IMAGE = 1.0
# Panels below this part of their place are rounded too coarsely to be halved.
_SHORTEST = 1e-8
_LEAST_LOG_MASS = -44.0
_MOST_PANELS = 40_000
_EPS = float(np.finfo(np.float64).eps)


def flow_densities(
    score: Score,
    derivative: Score,
    times: SamplerTimes,
    method: FlowMethod,
    initial: Callable[[Array], Array],
    interval: tuple[float, float],
    accuracy: float,
    recorded: Collection[int],
) -> Iterator[LineDensity]:
    """Yield the density at every recorded step.

    The error of the log density is that of rounding the particles' first places, relative to the
    panel, and of adding the logarithms.
    """
    kept = sorted(recorded)
    tolerance = math.sqrt(accuracy / len(times.steps))

    def trace(x: Array) -> Array:
        places, stretches = _trace(score, derivative, times, method, kept, x)
        logs = initial(x.ravel()).reshape(x.shape) - stretches
        return np.stack([places, logs, stretches])

    def on_panels(x: Array) -> Array:
        # Panels first: (P, 3, R, ORDER).
        return np.ascontiguousarray(np.moveaxis(trace(x), 2, 0))

    def accept(panels: Panels, values: Array) -> NDArray[np.bool_]:
        width = panels.high - panels.low
        middle = np.abs(0.5 * (panels.high + panels.low))
        good = np.ones(len(width), dtype=np.bool_)
        for r in range(len(kept)):
            place, logs, stretch = (values[:, part, r] for part in range(3))
            mass = logs.max(axis=1) + stretch.max(axis=1) + np.log(width)
            outside = (place.max(axis=1) < interval[0]) | (place.min(axis=1) > interval[1])
            tail = np.maximum(unresolved(logs)[0], unresolved(stretch)[0])
            short = place.max(axis=1) - place.min(axis=1) <= _IMAGE
            resolved = short & (tail <= tolerance + 1e-13 * np.abs(logs[:, 0]))
            good &= resolved | (outside & (mass < _LEAST_LOG_MASS))
        return np.asarray(good | (width <= _SHORTEST * np.maximum(1.0, middle)))

    first = _first_panels(lambda x: trace(x)[0], interval)
    panels, values = resolve(first, on_panels, accept, _MOST_PANELS)
    size = np.maximum(np.abs(panels.low), np.abs(panels.high)) / (panels.high - panels.low)
    for r, k in enumerate(kept):
        place, logs, stretch = (values[:, part, r] for part in range(3))
        rounding = 4.0 * _EPS * (size[:, None] + np.abs(logs) + np.sqrt(k))
        yield LineDensity(
            k,
            float(times.noise_times[k]),
            place.ravel(),
            (panels.weights * np.exp(stretch)).ravel(),
            logs.ravel(),
            rounding.ravel(),
        )


def _trace(
    score: Score,
    derivative: Score,
    times: SamplerTimes,
    method: FlowMethod,
    kept: list[int],
    x: Array,
) -> tuple[Array, Array]:
    """Return places and log derivatives of the flow at the kept steps, (R, *x.shape)."""
    place, stretch = x, np.zeros_like(x)
    places, stretches = [], []
    for k in range(len(times.steps) + 1):
        if k in kept:
            places.append(place)
            stretches.append(stretch)
        if k == len(times.steps):
            break
        image, factor = flow_step(method, score, derivative, times, k, place)
        worst = int(np.argmin(factor))
        if not factor.flat[worst] > 0.0:
            raise ValueError(
                f"times: step {k}, {float(times.steps[k]):.4g} from noise time "
                f"{float(times.noise_times[k]):.4g}, folds the line (derivative "
                f"{float(factor.flat[worst]):.3g} at x = {float(place.flat[worst]):.4g}); each step"
                " of a flow must be monotone: take smaller steps"
            )
        place, stretch = image, stretch + np.log(factor)
    return np.stack(places), np.stack(stretches)


def _first_panels(trace: Callable[[Array], Array], interval: tuple[float, float]) -> Panels:
    """Return panels that hold a standard normal, and whose images hold the interval."""
    core = max(_NORMAL_REACH, -interval[0], interval[1])
    edges = np.linspace(-core, core, 2 * math.ceil(core / _FIRST_WIDTH) + 1)
    farther: Array = core * 1.3 ** np.arange(1, 60, dtype=np.float64)
    below = trace(-farther).max(axis=0) <= interval[0]
    above = trace(farther).min(axis=0) >= interval[1]
    if not (below.any() and above.any()):
        raise ValueError(
            f"interval = {interval!r}: the flow brings nothing there from within "
            f"{float(farther[-1]):.3g}; pass a shorter interval"
        )
    left = -farther[: int(np.argmax(below)) + 1][::-1]
    right = farther[: int(np.argmax(above)) + 1]
    edges = np.concatenate([left, edges, right])
    return Panels(edges[:-1], edges[1:])
