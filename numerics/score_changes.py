"""How far apart the scores of two coupled chains are, at the point that one of them has not seen.

For the parameters θ, θ' of a pair, whose second chain was trained with x̃ in place of x_1:

    ∫ E[ |s_θ(X_t) - s_θ'(X_t)|² | X_0 = x̃ ] τ(dt).

Its mean over pairs is the squared stability for this coupling of the two chains, an upper bound of
that for the best coupling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.chain_arguments import checked_count
from numerics.chain_models import GaussianMean
from numerics.chain_streams import PURPOSE_BITS, SCORE, chain_key
from numerics.chain_user_model import Model, Rows, score_rows
from numerics.chains import ChainPairs
from numerics.counter_streams import Key
from numerics.noise_levels import NoiseLevels
from numerics.sampler_normals import keyed_normals
from numerics.streams import Rng

Array = NDArray[np.float64]

# The trapezoid rule runs over |z| <= _REACH, beyond which a normal has probability 1e-20.
_REACH = 9.5
_COARSE = 0.5
_HALVINGS = 11
_ENOUGH = 1e-11
# Entries of the parameters' rows in one call of a score.
_ROWS = 2**19


@dataclass(frozen=True, slots=True, eq=False)
class ScoreChanges:
    """Squared changes of the score (n, R) of n pairs after R steps, and their errors.

    ``method`` is "exact"; "trapezoid rule", with errors estimated from two step widths; or "Monte
    Carlo", with standard errors for each pair alone.
    """

    values: Array
    errors: Array
    method: str


def score_changes(
    pairs: ChainPairs,
    model: Model,
    levels: NoiseLevels,
    *,
    draws: int = 256,
    rng: Rng | None = None,
) -> ScoreChanges:
    """Return ∫ E[|s_θ(X_t) - s_θ'(X_t)|² | X_0 = x̃] τ(dt) for each pair and recorded step.

    Parameters
    ----------
    pairs : ChainPairs
        From ``numerics.chains.run_pairs``.
    model, levels
        The model of that run, and the measure τ, that of the run or another.
    draws : int
        Normal vectors z per pair, for d > 1; all levels and steps of a pair share them.
    rng : int, SeedSequence or Generator, optional
        For d > 1, unless the model is GaussianMean. The z are independent of those of
        ``run_pairs``, for the same ``rng`` too.

    Returns
    -------
    ScoreChanges
        Exact for GaussianMean and on the line, there up to the error stated; unbiased otherwise.

    Raises
    ------
    ValueError
        One line, for a bad argument.

    Examples
    --------
    >>> from numerics.chain_models import TwoWells
    >>> from numerics.laws import Mixture
    >>> from numerics.chains import run_pairs
    >>> levels = NoiseLevels([1.0], [1.0], [1.0])
    >>> law = Mixture(np.array([[-1.0], [1.0]]), 0.5)
    >>> run = run_pairs(
    ...     TwoWells(0.25), law, levels, size=20, batch=5, steps=100, step_size=0.1,
    ...     weight_decay=0.0, clip=1.0, start=[1.0], pairs=3, rng=0)
    >>> found = score_changes(run, TwoWells(0.25), levels)
    >>> found.values.shape, bool(np.all(found.errors <= 1e-9 * found.values))
    ((3, 1), True)
    """
    number = checked_count("draws", draws, 2)
    dimension = pairs.swapped_in.shape[1]
    wanted = model.parameter_count(dimension)
    if model.dimension not in (None, dimension) or pairs.first.shape[2] != wanted:
        raise ValueError(
            f"pairs has d = {dimension} and p = {pairs.first.shape[2]}: the model has other "
            "dimensions; pass the model of the run"
        )
    if isinstance(model, GaussianMean):
        v = levels.mu**2 * model.variance + levels.sigma**2
        factor = float(np.sum(levels.weights * (levels.mu / v) ** 2))
        values = factor * pairs.distance**2
        return ScoreChanges(values, np.zeros_like(values), "exact")
    if dimension == 1:
        return _on_the_line(pairs, score_rows(model), levels)
    if rng is None:
        raise ValueError("rng = None: Monte Carlo over z needs a seed; pass an int")
    return _monte_carlo(pairs, score_rows(model), levels, number, chain_key(rng))


def _on_the_line(pairs: ChainPairs, score: Rows, levels: NoiseLevels) -> ScoreChanges:
    count = pairs.first.shape[2]
    first, second = pairs.first.reshape(-1, count), pairs.second.reshape(-1, count)
    point = np.repeat(pairs.swapped_in[:, 0], len(pairs.steps))
    # Chains that have met have one score.
    rows = np.flatnonzero(np.any(first != second, axis=1))
    values, errors = np.zeros(len(first)), np.zeros(len(first))
    for mu, sigma, weight in zip(levels.mu, levels.sigma, levels.weights, strict=True):
        found, error = _trapezoid(score, first[rows], second[rows], mu * point[rows], mu, sigma)
        values[rows] += weight * found
        errors[rows] += weight * error
    shape = pairs.distance.shape
    return ScoreChanges(values.reshape(shape), errors.reshape(shape), "trapezoid rule")


def _trapezoid(
    score: Rows, first: Array, second: Array, centre: Array, mu: float, sigma: float
) -> tuple[Array, Array]:
    """Return integrals over z and their errors, halving the step where two do not agree."""
    step = _COARSE
    nodes = np.arange(-_REACH, _REACH + step / 2, step)
    values = _weighted(score, first, second, centre, mu, sigma, nodes, step)
    errors = np.full(len(values), np.inf)
    open_rows = np.arange(len(values))
    for _ in range(_HALVINGS):
        between = np.arange(-_REACH + step / 2, _REACH, step)
        added = _weighted(
            score, first[open_rows], second[open_rows], centre[open_rows], mu, sigma, between, step
        )
        finer = 0.5 * (values[open_rows] + added)
        errors[open_rows] = np.abs(finer - values[open_rows])
        values[open_rows] = finer
        step /= 2
        open_rows = open_rows[errors[open_rows] > _ENOUGH * finer]
        if len(open_rows) == 0:
            break
    return values, errors


def _weighted(
    score: Rows,
    first: Array,
    second: Array,
    centre: Array,
    mu: float,
    sigma: float,
    nodes: Array,
    step: float,
) -> Array:
    """Return step Σ φ(z) |s_θ - s_θ'|² over the nodes."""
    out = np.empty(len(first))
    weights = step * np.exp(-0.5 * nodes**2) / np.sqrt(2.0 * np.pi)
    together = max(1, _ROWS // (len(nodes) * first.shape[1]))
    for low in range(0, len(first), together):
        part = slice(low, low + together)
        x = (centre[part, None] + sigma * nodes).reshape(-1, 1)
        squares = _squares(score, first[part], second[part], x, mu, sigma, len(nodes))
        out[part] = squares @ weights
    return out


def _squares(
    score: Rows, first: Array, second: Array, x: Array, mu: float, sigma: float, many: int
) -> Array:
    """Return |s_θ(x) - s_θ'(x)|² (n, many), for ``many`` points of x per row of θ."""
    mus, sigmas = np.full(len(x), mu), np.full(len(x), sigma)
    change = score(np.repeat(first, many, axis=0), x, mus, sigmas)
    change = change - score(np.repeat(second, many, axis=0), x, mus, sigmas)
    return np.asarray((change**2).sum(axis=1)).reshape(len(first), many)


def _monte_carlo(
    pairs: ChainPairs, score: Rows, levels: NoiseLevels, draws: int, key: Key
) -> ScoreChanges:
    number, recorded, count = pairs.first.shape
    dimension = pairs.swapped_in.shape[1]
    values, errors = np.empty((number, recorded)), np.empty((number, recorded))
    blocks = -(-draws * dimension // 2)
    for i in range(number):
        normals = keyed_normals(
            key,
            first_path=SCORE << PURPOSE_BITS,
            paths=blocks,
            draw=pairs.first_pair + i,
            dimension=2,
        )
        z = normals.ravel()[: draws * dimension].reshape(draws, dimension)
        totals = np.zeros((recorded, draws))
        together = max(1, _ROWS // (draws * count))
        for low in range(0, recorded, together):
            part = slice(low, low + together)
            first, second = pairs.first[i, part], pairs.second[i, part]
            for mu, sigma, weight in zip(levels.mu, levels.sigma, levels.weights, strict=True):
                x = np.tile(mu * pairs.swapped_in[i] + sigma * z, (len(first), 1))
                totals[part] += weight * _squares(score, first, second, x, mu, sigma, draws)
        values[i] = totals.mean(axis=1)
        errors[i] = totals.std(axis=1, ddof=1) / np.sqrt(draws)
    return ScoreChanges(values, errors, "Monte Carlo")
