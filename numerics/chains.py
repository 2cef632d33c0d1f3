"""Pairs of coupled training chains: SGD on data S, and on S with one sample replaced.

A score model s_θ(x; μ, σ) is trained on x_1, ..., x_N by noising them, X = μ x_i + σ z. With a
batch of B samples, drawn without replacement anew each step, and P redraws of z and of the noise
level for each, a step is

    θ⁺ = (1 - η λ) θ - η Clip_C(G) + η s Z,    then, if asked for, the projection on a ball,

where G estimates the gradient of ∫ mean_i E |s_θ(X) + z/σ|² dτ. The second chain of a pair has x̃
for x_1 and shares all else: the start, the batches, the z and the levels. Its Gaussian noise Z' is
coupled to Z. With m, m' the two means before noise, h their distance and e = (m - m')/h:

    synchronous          Z' = Z
    reflection           Z' = Z - 2 (e·Z) e
    reflection-maximal   the same, but that with probability min(1, φ(z + h/sd)/φ(z)), z = e·Z and
                         sd = ηs, the new points coincide: Z' = Z + (m - m')/sd

Either chain alone is SGD with independent noise, whatever the coupling.

Source: stability of SGD under replacing one sample, Hardt, Recht, Singer, "Train faster, generalize
better", ICML 2016; reflection with maximal coupling, Bubley, Dyer, Jerrum, "An elementary analysis
of a procedure for sampling points in a convex body", 1998, and Eberle, Majka, "Quantitative
contraction rates for Markov chains on general state spaces", 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from numerics.chain_arguments import (
    checked_choice,
    checked_count,
    checked_optional,
    checked_real,
    checked_record,
    checked_start,
    checked_step_sizes,
)
from numerics.chain_batches import batch_pairs
from numerics.chain_kernel import LARGEST_PARAMETER, Levels, Rule, kernel_pairs, norm
from numerics.chain_models import TwoWells
from numerics.chain_streams import MOST_PAIRS, Sizes, chain_key
from numerics.chain_user_model import Model, UserModel, gradient_rows, try_compiled
from numerics.noise_levels import NoiseLevels
from numerics.streams import Rng, keyed, seed_sequence

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

Clipping = Literal["whole", "per-sample"]
Coupling = Literal["synchronous", "reflection", "reflection-maximal"]

# Pairs whose data one generator draws; a law sees this many at a time, whatever is asked for.
_GROUP = 32
# First word of the generators' names.
_DATA = 0x64617461

# Coordinates of gradients that a block of pairs takes (some seconds), doubles of its data, and
# coordinates that one call of a NumPy gradient returns.
_WORK = 2e8
_HELD = 2**23
_ROWS = 2**18


class Law(Protocol):
    """A law that can be sampled, as in ``numerics.laws``."""

    def sample(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draw points; returns ``shape + (d,)``."""


Draw = Callable[[np.random.Generator, tuple[int, int]], ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class ChainPairs:
    """What was kept of n pairs of chains, after each of R recorded steps.

    ``steps`` (R,) are the recorded steps, ``first`` and ``second`` (n, R, p) the parameters of the
    chains on S and on S with x_1 replaced; ``replaced`` and ``swapped_in`` (n, d) are x_1 and x̃.
    Row i is pair ``first_pair + i``.
    """

    steps: Integers
    first: Array
    second: Array
    replaced: Array
    swapped_in: Array
    first_pair: int

    @property
    def distance(self) -> Array:
        """The distances (n, R) between the two chains."""
        return np.asarray(np.linalg.norm(self.first - self.second, axis=2))


def run_pairs(
    model: Model,
    law: Law | Draw,
    levels: NoiseLevels,
    *,
    size: int,
    batch: int,
    redraws: int = 1,
    steps: int,
    step_size: ArrayLike,
    weight_decay: float,
    clip: float | None,
    clipping: Clipping = "whole",
    noise: float = 0.0,
    coupling: Coupling = "synchronous",
    projection_radius: float | None = None,
    start: ArrayLike | None = None,
    pairs: int,
    first_pair: int = 0,
    record: Sequence[int] | None = None,
    block: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    rng: Rng,
) -> ChainPairs:
    """Run pairs of coupled training chains, each on data of its own.

    Parameters
    ----------
    model : GaussianMean, TwoWells, LinearFeatures or UserModel
        From ``numerics.chain_models`` and ``numerics.chain_user_model``.
    law : object or callable
        The data's law: ``law.sample(generator, (n, N + 1))``, or ``law(generator, (n, N + 1))``
        itself, gives points (n, N + 1, d). Of each row the first point is x_1 and the last x̃.
        The law is asked for 32 pairs at a time, each time with a fresh generator.
    levels : NoiseLevels
        The measure τ. A level is drawn with probability weight / mass, and gradients are
        multiplied by the mass.
    size, batch, redraws : int
        N, B and P, at least 1, with B <= N.
    steps : int
        The number K >= 1 of steps.
    step_size : float or array_like, shape (K,)
        η > 0, or one for each step; with η λ <= 1.
    weight_decay : float
        λ >= 0.
    clip : float or None
        C > 0, or None for no clipping.
    clipping : str
        "whole" clips the mean gradient of a step, "per-sample" clips each sample's mean over its
        redraws.
    noise : float
        s >= 0.
    coupling : str
        "synchronous", "reflection" or "reflection-maximal"; alike where s = 0.
    projection_radius : float or None
        Radius > 0 of the ball that each step ends in.
    start : array_like, shape (p,), optional
        θ_0; zeros when None, which TwoWells refuses: its gradient vanishes there.
    pairs, first_pair : int
        How many pairs, and the index of the first: pairs 50 to 99 are the last 50 of 0 to 99.
    record : sequence of int, optional
        Increasing steps in [0, K] after which parameters are kept; [K] when None.
    block : int, optional
        Pairs that run between two calls of ``progress``, and between which an interrupt is
        seen. It changes no number.
    progress : callable, optional
        Called with the pairs done and their total after each block.
    rng : int, SeedSequence or Generator
        As in ``numerics.streams.seed_sequence``.

    Returns
    -------
    ChainPairs

    Raises
    ------
    ValueError
        One line, for an argument outside its domain, for a user's function that returns anything
        but what it should, and for a parameter that leaves [-1e100, 1e100] or is no number,
        naming pair and step.

    Notes
    -----
    Bits depend on neither threads, nor blocks, nor the number of pairs. A built-in or compiled
    model runs on all threads. A random number belongs to its pair, purpose and place in the list
    of all that the pair's steps take for that purpose.

    Examples
    --------
    >>> from numerics.chain_models import GaussianMean
    >>> from numerics.laws import Circles
    >>> run = run_pairs(
    ...     GaussianMean(0.0), Circles(1.0, 1, 2), NoiseLevels([1.0], [1.0], [1.0]), size=10,
    ...     batch=10, steps=50, step_size=0.25, weight_decay=0.0, clip=None, pairs=4, rng=0)
    >>> shift = np.linalg.norm(run.replaced - run.swapped_in, axis=1)
    >>> bool(np.allclose(10 * run.distance[:, 0], shift))
    True
    """
    if not isinstance(model, Model):
        raise ValueError(f"model = {model!r}: a score model is needed; pass TwoWells(0.1), say")
    if not isinstance(levels, NoiseLevels):
        raise ValueError(f"levels = {levels!r}: NoiseLevels are needed; pass NoiseLevels(...)")
    number = checked_count("pairs", pairs, 1)
    index = checked_count("first_pair", first_pair, 0, MOST_PAIRS - number)
    samples = checked_count("size", size, 1)
    many = checked_count("batch", batch, 1, samples)
    again = checked_count("redraws", redraws, 1)
    length = checked_count("steps", steps, 1)
    decay = checked_real("weight_decay", weight_decay, positive=False)
    rule = Rule(
        step_size=checked_step_sizes(step_size, length, decay),
        weight_decay=decay,
        clip=checked_optional("clip", clip),
        per_sample=bool(checked_choice("clipping", clipping, get_args(Clipping))),
        noise=checked_real("noise", noise, positive=False),
        coupling=checked_choice("coupling", coupling, get_args(Coupling)),
        radius=checked_optional("projection_radius", projection_radius),
    )
    kept_steps = checked_record(record, length)
    root = seed_sequence(rng)
    data = _Data(law, root, samples)
    dimension = data.dimension
    if model.dimension not in (None, dimension):
        raise ValueError(
            f"law has dimension {dimension}: that of the model is {model.dimension}; pass points "
            "of that dimension"
        )
    if start is None and isinstance(model, TwoWells):
        raise ValueError("start = None: TwoWells has no gradient at 0, so none to leave; pass 1.0")
    theta = checked_start(start, model.parameter_count(dimension))
    sizes = Sizes(samples, many, again, dimension, len(theta), len(levels.mu))
    if isinstance(model, UserModel) and model.compiled:
        try_compiled(model, theta, data.rows(0, 1)[0, 0])
    chosen = _block(sizes, length, model) if block is None else checked_count("block", block, 1)
    chains = np.empty((number, len(kept_steps), 2, len(theta)))
    ends = np.empty((number, 2, dimension))
    scales = Levels(
        np.array(levels.mu), np.array(levels.sigma), levels.cumulative, float(levels.mass)
    )
    for low, high in _blocks(number, chosen):
        points = data.rows(index + low, high - low)
        ends[low:high] = points[:, [0, samples]]
        rest = (rule, scales, sizes, chain_key(root), index + low, points, theta, kept_steps)
        if not isinstance(model, UserModel):
            failed = kernel_pairs(model.constants, *rest, chains[low:high])
        elif model.compiled:
            failed = kernel_pairs(model.gradient, *rest, chains[low:high])
        else:
            failed = batch_pairs(gradient_rows(model), *rest, chains[low:high])
        _check_all_stayed(failed, index + low)
        if progress is not None:
            progress(high, number)
    return ChainPairs(kept_steps, chains[:, :, 0], chains[:, :, 1], ends[:, 0], ends[:, 1], index)


def ball_radius(start: ArrayLike, *, clip: float, weight_decay: float) -> float:
    """Return R = max(|θ_0|, C/λ): without noise, no chain leaves that ball while η λ <= 1.

    A step is (1 - ηλ) θ + ηλ (-G/λ) with |G| <= C, a mean of two points of the ball.

    Parameters
    ----------
    start : array_like, shape (p,)
        θ_0.
    clip, weight_decay : float
        C and λ, both > 0.

    Raises
    ------
    ValueError
        One line, for an argument outside its domain.

    Examples
    --------
    >>> ball_radius([0.3, 0.4], clip=1.0, weight_decay=0.5)
    2.0
    """
    theta = np.ravel(np.asarray(start, dtype=np.float64))
    bound = checked_real("clip", clip, positive=True)
    decay = checked_real("weight_decay", weight_decay, positive=True)
    return max(float(norm(checked_start(theta, len(theta)))), bound / decay)


class _Data:
    """The data of pairs, drawn in groups of a fixed size so that a pair's never change."""

    def __init__(self, law: Law | Draw, root: np.random.SeedSequence, size: int) -> None:
        self._law = law
        self._root = root
        self._size = size
        self._index = 0
        self._group = self._drawn(0)
        self.dimension = self._group.shape[2]

    def rows(self, first: int, count: int) -> Array:
        """Return the points (count, N + 1, d) of some pairs."""
        out = np.empty((count, self._size + 1, self.dimension))
        for group in range(first // _GROUP, (first + count - 1) // _GROUP + 1):
            if group != self._index:
                self._index, self._group = group, self._drawn(group)
            low = max(first, group * _GROUP)
            high = min(first + count, (group + 1) * _GROUP)
            out[low - first : high - first] = self._group[low - group * _GROUP :][: high - low]
        return out

    def _drawn(self, group: int) -> Array:
        generator = keyed(self._root, _DATA, group)
        shape = (_GROUP, self._size + 1)
        sample = getattr(self._law, "sample", self._law)
        if not callable(sample):
            raise ValueError(
                f"law = {self._law!r}: it must draw points; pass law(generator, shape)"
            )
        points = np.asarray(sample(generator, shape), dtype=np.float64)
        if points.ndim != 3 or points.shape[:2] != shape or points.shape[2] == 0:
            raise ValueError(
                f"law returned shape {points.shape} for {shape}: it must be {(*shape, 'd')}; "
                "add the last axis"
            )
        if not np.all(np.isfinite(points)):
            raise ValueError("law returned points that are not finite: make it return finite ones")
        return points


def _blocks(number: int, block: int) -> Iterator[tuple[int, int]]:
    for low in range(0, number, block):
        yield low, min(low + block, number)


def _block(sizes: Sizes, steps: int, model: Model) -> int:
    """Return how many pairs to run together."""
    draws = sizes.batch * sizes.redraws
    widest = max(sizes.dimension, sizes.parameters)
    fitting = min(
        _WORK / (2.0 * steps * draws * widest), _HELD / ((sizes.size + 1) * sizes.dimension)
    )
    if isinstance(model, UserModel) and not model.compiled:
        fitting = min(_ROWS / (draws * widest), _HELD / 2**11)
    return max(_GROUP, int(fitting) // _GROUP * _GROUP)


def _check_all_stayed(failed: Integers, first_pair: int) -> None:
    if np.any(failed >= 0):
        row = int(np.argmax(failed >= 0))
        bound = f"[-{LARGEST_PARAMETER:g}, {LARGEST_PARAMETER:g}]"
        raise ValueError(
            f"pair {first_pair + row} is not in {bound} after step {int(failed[row]) + 1}: lower "
            "step_size, or pass clip or projection_radius"
        )
