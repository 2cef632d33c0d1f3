"""The packing numbers of finitely many points in any dimension, by sampling noised points.

Every value is bounded, by the number of points and its square, so the intervals are empirical
Bernstein bounds.
"""

from __future__ import annotations

import zlib

import numpy as np

from numerics.laws import Mixture
from proofs_check import sampling
from proofs_check.number import Method, Number
from proofs_check.point import Point

_BATCHES = 16


def packing_by_sampling(point: Point) -> dict[str, Number]:
    """Return Π₁ and Π₂ of a point whose law has finitely many atoms of equal weight."""
    law = sampling.law_of(point)
    assert isinstance(law, Mixture)
    assert law.standard_deviation == 0
    largest, squared = sampling.largest_change(point, law), sampling.squared_diameter(point, law)
    assert largest is not None
    assert squared is not None
    streams = np.random.SeedSequence(zlib.crc32(f"packing {point}".encode())).spawn(_BATCHES)
    batches = [_inverse_moments(point, law, np.random.default_rng(s)) for s in streams]
    inverse = np.concatenate(batches)
    n, count = int(dict(point.values)["N"]), len(law.centres)
    scales = {
        "packing_first": (1 / (n + 1), count),
        "packing_second": (2 / ((n + 1) * (n + 2)), count**2),
    }
    found = {}
    for column, (name, (scale, most)) in enumerate(scales.items()):
        mean, width = sampling.mean_interval(
            scale * squared * inverse[:, column], scale * largest * most
        )
        found[name] = Number(mean, width, Method.SAMPLING)
    return found


def _inverse_moments(point: Point, law: Mixture, rng: np.random.Generator) -> sampling.Array:
    """Return q(X)⁻¹ and q(X)⁻² times μ²/σ⁴, summed over the times of τ; shape (batch, 2)."""
    mu, sigma, weights = sampling.noise_levels(point, rng)
    rows = len(mu)
    clean = law.sample(rng, (rows,))
    noise = rng.standard_normal(clean.shape)
    total = np.zeros((rows, 2))
    for k, weight in enumerate(weights):
        m, s = mu[:, k, None], sigma[:, k, None]
        steps = (m * clean + s * noise)[:, None, :] - m[:, :, None] * law.centres
        energy = np.square(steps / s[:, :, None]).sum(axis=-1) / 2
        seen = np.exp(energy.min(axis=1, keepdims=True) - energy).mean(axis=1)
        unit = weight * (m / s**2)[:, 0] ** 2
        total += unit[:, None] * np.stack((1 / seen, 1 / seen**2), axis=1)
    return total
