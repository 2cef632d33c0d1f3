"""Independent replicates of the experiment behind every expectation of score stability.

One replicate draws a training set S and a fresh point x̃, noises each of them once per time, and
evaluates every loss. All differences of scores are differences of posterior means of X_0 given
X_t, times mu/sigma^2, which is how they are computed here.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from numerics.laws import Law, Mixture
from numerics.posterior_means import half_energies, law_mean, sums_about_nearest
from numerics.vector_exp import decay

Array = NDArray[np.float64]

#: Below this, weights relative to the nearest point's run out of exponents.
_SMALLEST = 1e-200

#: The columns of `evaluate_replicates`.
QUANTITIES = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_l_sm_hat",
    "C_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
    "E_C_sm_hat_next",
    "E_l_dsm_replaced",
    "E_change_on_sample",
    "E_own_change",
    "E_other_change",
)


(
    _E_L_DSM,
    _E_L_DSM_HAT,
    _E_L_SM,
    _E_L_SM_HAT,
    _C_SM,
    _E_C_SM_HAT,
    _EPS_STAB_SQUARED,
    _E_C_SM_HAT_NEXT,
    _E_L_DSM_REPLACED,
    _E_CHANGE_ON_SAMPLE,
    _E_OWN_CHANGE,
    _E_OTHER_CHANGE,
) = range(len(QUANTITIES))


class Algorithm(IntEnum):
    """What is trained: the posterior mean that it implies is that of the named law."""

    EMPIRICAL_SCORE = 0
    GAUSSIAN_MEAN = 1
    GAUSSIAN_MEAN_VARIANCE = 2
    FIXED_STANDARD = 3  # the law's own variance, centred at the origin, whatever the data


# Compiled code takes plain integers.
_EMPIRICAL = int(Algorithm.EMPIRICAL_SCORE)
_KNOWN_VARIANCE = int(Algorithm.GAUSSIAN_MEAN)
_FIXED = int(Algorithm.FIXED_STANDARD)


def evaluate_replicates(
    law: Law,
    training_sets: Array,
    fresh: Array,
    noise: Array,
    *,
    mu: Array,
    sigma: Array,
    weights: Array,
    algorithm: Algorithm,
) -> Array:
    """Evaluate every quantity of score stability once per replicate.

    Parameters
    ----------
    law
        The law that the points were drawn from; it gives the true score, and the variance to the
        algorithms that know it.
    training_sets, fresh
        Shapes (R, N, d) and (R, d).
    noise
        Standard normal, shape (R, N + 1, d): one draw for each training point, the last for the
        fresh point. The times share it.
    mu, sigma
        Shape (R, T): signal and noise level at each time of each replicate.
    weights
        Shape (T,): the masses that τ gives to the times.

    Returns
    -------
    Array of shape (R, 12), columns as in `QUANTITIES`: unbiased for the expectations of the same
    names. Rounding is not tracked; it is far below the sampling error for sigma above 1e-6 times
    the scale of the data.

    Raises
    ------
    ValueError
        If the algorithm knows the law's variance and the law is no mixture.

    Notes
    -----
    Source: farghly2026, Section 2 and Theorem 3. Cost O(R T N^2 d): at each noised point the
    weights are found once, and each replacement of a training point takes O(d) more.

    Examples
    --------
    >>> law = Mixture(np.array([[-1.0], [1.0]]), 0.0)
    >>> one = np.ones((1, 1))
    >>> row = evaluate_replicates(
    ...     law, np.array([[[1.0]]]), np.array([[-1.0]]), np.zeros((1, 2, 1)),
    ...     mu=one, sigma=one, weights=np.ones(1), algorithm=Algorithm.EMPIRICAL_SCORE)[0]
    >>> float(row[QUANTITIES.index("E_l_dsm")])
    4.0
    """
    knows_variance = algorithm in (Algorithm.GAUSSIAN_MEAN, Algorithm.FIXED_STANDARD)
    if knows_variance and not isinstance(law, Mixture):
        raise ValueError(f"{algorithm.name} needs a mixture, which has a variance of its own")
    out = np.empty((len(training_sets), len(QUANTITIES)))
    _evaluate(training_sets, fresh, noise, mu, sigma, weights, *law.kernel, int(algorithm), out)
    return out


@njit(cache=True)
def _share(gap, rest):  # type: ignore[no-untyped-def]
    """Return w/(rest + w) and rest/(rest + w) for w = exp(-gap), any sign of the gap."""
    above, below = (decay(gap), 1.0) if gap >= 0.0 else (1.0, decay(-gap))
    total = below * rest + above
    return above / total, below * rest / total


@njit(cache=True)
def _squared(vector):  # type: ignore[no-untyped-def]
    total = 0.0
    for a in range(vector.shape[0]):
        total += vector[a] * vector[a]
    return total


@njit(cache=True)
def _empirical_means(  # type: ignore[no-untyped-def]
    points, own, energy, weight, moment, residual, after
):
    """Posterior means under S, and under S with the fresh point (the last column of ``points``).

    Writes both less point ``own``, whose noised copy is looked at; returns the squared distance
    between them, the nearest point of S and the weight of the others.
    """
    dimension, count = points.shape[0], points.shape[1] - 1
    best, rest = sums_about_nearest(points, energy, -1, weight, moment)
    fresh, kept = _share(energy[count] - energy[best], 1.0 + rest)
    joined = 0.0
    for a in range(dimension):
        about = moment[a] / (1.0 + rest)
        residual[a] = about + (points[a, best] - points[a, own])
        step = fresh * ((points[a, count] - points[a, best]) - about)
        # where the fresh point is noised its residual shrinks; adding the step would cancel
        after[a] = kept * residual[a] if own == count else residual[a] + step
        joined += step * step
    return joined, best, rest


@njit(cache=True)
def _replacements(  # type: ignore[no-untyped-def]
    points, energy, best, rest, weight, moment, buffers, middle
):
    """Replace each point of S in turn by the fresh one: squared changes of the posterior mean.

    Returns their sum over the points and the sum of squared distances of the new means to the
    fresh point. With p the share of x_i in S, q that of x̃ in Sⁱ and m the mean of the others,

        m_S - m_Sⁱ = p (x_i - m) - q (x̃ - m),    m_Sⁱ - x̃ = (1 - q) (m - x̃).

    The others of x_i weigh the total less its weight. For any point but the nearest that leaves
    half the total or more; for the nearest, ``rest`` and ``moment`` are those sums themselves.
    """
    dimension, count = points.shape[0], points.shape[1] - 1
    inverse, share, change, gone = buffers[0], buffers[1], buffers[2], buffers[3]
    gap = energy[count] - energy[best]
    above, below = (decay(gap), 1.0) if gap >= 0.0 else (1.0, decay(-gap))
    total = 1.0 + rest
    for i in range(count):
        others = total - weight[i]
        inverse[i] = 1.0 / others
        share[i] = above / (below * others + above)
        change[i] = 0.0
        gone[i] = 0.0
    for a in range(dimension):
        centre, pull = points[a, best], moment[a]
        fresh = points[a, count] - centre
        for i in range(count):
            z = points[a, i] - centre
            mean = (pull - weight[i] * z) * inverse[i]
            step = weight[i] / total * (z - mean) - share[i] * (fresh - mean)
            change[i] += step * step
            gone[i] += (mean - fresh) * (mean - fresh)
    changed, replaced = 0.0, 0.0
    for i in range(count):
        if i != best:
            left = below / (inverse[i] * above + below)
            changed += change[i]
            replaced += left * left * gone[i]
    own = 1.0 / total
    if rest < _SMALLEST:  # the others are too far to be weighed beside the nearest
        second, others = sums_about_nearest(points, energy, best, weight, moment)
        if second < 0:  # there are none: the fresh point is all of Sⁱ
            for a in range(dimension):
                changed += (points[a, best] - points[a, count]) ** 2
            return changed, 0.0
        joining, left = _share(energy[count] - energy[second], 1.0 + others)
        for a in range(dimension):
            middle[a] = moment[a] / (1.0 + others) + (points[a, second] - points[a, best])
    else:
        joining, left = _share(gap, rest)
        for a in range(dimension):
            middle[a] = moment[a] / rest
    for a in range(dimension):
        fresh = points[a, count] - points[a, best]
        changed += (-own * middle[a] - joining * (fresh - middle[a])) ** 2
        replaced += (left * (middle[a] - fresh)) ** 2
    return changed, replaced


@njit(cache=True)
def _fit(points, omitted, algorithm, variance, centre):  # type: ignore[no-untyped-def]
    """Write the mean and return the variance that an algorithm puts in its Gaussian score.

    The training set is every column but ``omitted``: the last for S, column i for Sⁱ, -1 for none.
    """
    dimension, columns = points.shape
    count = columns - 1 if omitted >= 0 else columns
    centre[:] = 0.0
    if algorithm == _FIXED:
        return variance
    for a in range(dimension):
        for j in range(columns):
            if j != omitted:
                centre[a] += points[a, j] / count
    if algorithm == _KNOWN_VARIANCE:
        return variance
    spread = 0.0
    for a in range(dimension):
        for j in range(columns):
            if j != omitted:
                spread += (points[a, j] - centre[a]) ** 2 / (count * dimension)
    return spread


@njit(cache=True)
def _gaussian_mean(x, centre, spread, mu, sigma, out):  # type: ignore[no-untyped-def]
    """Write the posterior mean given x under N(centre, spread I)."""
    gain = mu * spread / (mu * mu * spread + sigma * sigma)
    for a in range(x.shape[0]):
        out[a] = centre[a] + gain * (x[a] - mu * centre[a])


@njit(cache=True)
def _gaussian_changes(  # type: ignore[no-untyped-def]
    x, points, centres, spreads, mu, sigma, trained, other
):
    """Squared changes of a Gaussian score's posterior mean: joined, replaced, and to the fresh one.

    Row N of ``centres`` is S's, row i Sⁱ's and row N + 1 that of S with the fresh point. Writes
    the mean under S.
    """
    count = points.shape[1] - 1
    _gaussian_mean(x, centres[count], spreads[count], mu, sigma, trained)
    _gaussian_mean(x, centres[count + 1], spreads[count + 1], mu, sigma, other)
    joined = _squared(other - trained)
    changed, replaced = 0.0, 0.0
    for i in range(count):
        _gaussian_mean(x, centres[i], spreads[i], mu, sigma, other)
        for a in range(x.shape[0]):
            changed += (other[a] - trained[a]) ** 2
            replaced += (other[a] - points[a, count]) ** 2
    return joined, changed, replaced


@njit(cache=True, parallel=True)
def _evaluate(  # type: ignore[no-untyped-def]
    training_sets,
    fresh,
    noise,
    mu,
    sigma,
    weights,
    kind,
    centres,
    scale,
    parts,
    algorithm,
    out,
):
    replicates, count, dimension = training_sets.shape
    for r in prange(replicates):
        points = np.empty((dimension, count + 1))  # a column for each training point, then x̃
        points[:, :count] = training_sets[r].T
        points[:, count] = fresh[r]
        fits, spreads = np.empty((count + 2, dimension)), np.empty(count + 2)
        if algorithm != _EMPIRICAL:
            for i in range(count + 2):
                omitted = i if i <= count else -1
                spreads[i] = _fit(points, omitted, algorithm, scale, fits[i])
        vectors, buffers = np.empty((7, dimension)), np.empty((6, count + 1))
        x, moment, residual, after, trained, other, true = vectors
        energy, weight = buffers[4], buffers[5]
        row = np.zeros(out.shape[1])
        for k in range(weights.shape[0]):
            m, s = mu[r, k], sigma[r, k]
            unit = weights[k] * m * m / s**4
            for own in range(count + 1):  # each training point, then the fresh one, is noised
                for a in range(dimension):
                    x[a] = m * points[a, own] + s * noise[r, own, a]
                half_energies(x, points, m, s, energy)
                joined, best, rest = _empirical_means(
                    points, own, energy, weight, moment, residual, after
                )
                row[_E_C_SM_HAT_NEXT] += unit * _squared(after) / (count + 1)
                if algorithm == _EMPIRICAL:
                    trained[:] = residual
                    changed, replaced = _replacements(
                        points, energy, best, rest, weight, moment, buffers, other
                    )
                else:
                    joined, changed, replaced = _gaussian_changes(
                        x, points, fits, spreads, m, s, trained, other
                    )
                    trained -= points[:, own]
                if own < count:
                    each = unit / count
                    row[_E_L_DSM_HAT] += each * _squared(trained)
                    row[_E_L_SM_HAT] += each * _squared(trained - residual)
                    row[_E_C_SM_HAT] += each * _squared(residual)
                    row[_E_CHANGE_ON_SAMPLE] += each * changed / count
                    row[_E_OTHER_CHANGE] += each * joined
                else:
                    law_mean(kind, x, centres, scale, parts, m, s, true)
                    true -= points[:, own]
                    row[_E_L_DSM] += unit * _squared(trained)
                    row[_E_L_SM] += unit * _squared(trained - true)
                    row[_C_SM] += unit * _squared(true)
                    row[_EPS_STAB_SQUARED] += unit * changed / count
                    row[_E_L_DSM_REPLACED] += unit * replaced / count
                    row[_E_OWN_CHANGE] += unit * joined
        out[r] = row
