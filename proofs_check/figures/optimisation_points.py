"""The tasks of the figure ``optimisation``: pairs of chains, bounds, rates, and minibatch noise.

The score of two wells is even in θ. For a, b >= 0 the cost c(a, b) of two scores,
E|s_a(X) − s_b(X)|², has ∂²c/∂a∂b = −2 E ∂s_a(X) ∂s_b(X) <= 0, as ∂s_a(x) has the sign of x: so on
the same data no coupling of two laws of θ changes the score less than matching the quantiles of
|θ| does.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from numerics.chain_models import TwoWells
from numerics.chains import ChainPairs, Clipping, Coupling, run_pairs
from numerics.noise_levels import NoiseLevels
from numerics.optimal_distance import optimal_distance_1d
from numerics.score_changes import score_changes
from numerics.streams import keyed
from proofs_check.contraction import contraction_at, lipschitz_of
from proofs_check.eberle_constants import eberle_constants
from proofs_check.measurement import measure, sides
from proofs_check.point import Point, at_time
from proofs_check.sampling import noise_level
from proofs_check.sgd_quantities import FourPoints
from theory import claims
from theory.reflection_drifts import clipped_gradient

Array = NDArray[np.float64]

#: Of all that is measured, on the Ornstein–Uhlenbeck process.
TIME = "3/10"
#: Steps that are kept of a window: pairs meet sooner, and so say more anew, when reflected.
KEPT: Mapping[Coupling, int] = {"synchronous": 16, "reflection": 64, "reflection-maximal": 64}
#: Pairs that are closer count with Λ² times their squared distance, the most their scores change.
CLOSE = 1e-4
#: No crossing of bounds is looked for beyond so many steps.
MOST_STEPS = 2**14

_SYNCHRONOUS = ("proposition-11", "proposition-11-saturated")
_REFLECTION = ("proposition-14", "proposition-14-per-sample")
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "proposition-11": ("score_sensitivity", "parameter_radius", "gradient_lipschitz"),
    "proposition-11-saturated": ("score_sensitivity", "parameter_radius", "saturated_distance"),
    **dict.fromkeys(
        _REFLECTION, ("score_sensitivity", "parameter_radius", "contraction_rate", "f_diameter")
    ),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """SGD with two wells: the parameters of the case as exact texts, and the redraws P."""

    size: int
    batch: int = 1
    redraws: int = 1
    clip: str = "1"
    decay: str = "1"
    step_size: str = "1/10"
    noise: str = "2"
    clipping: Clipping = "whole"
    centre: str = "1"
    spread: str = "1/2"

    def point(self, steps: int) -> Point:
        """Return where the claims are evaluated.

        Examples
        --------
        >>> Setting(size=20, clipping="per-sample").point(8).case
        'two-wells-sgd-per-sample'
        """
        name = "two-wells-sgd" if self.clipping == "whole" else "two-wells-sgd-per-sample"
        values = {"lambda": self.decay, "N": self.size, "B": self.batch, "K": steps}
        given = {"a": self.centre, "s": self.spread, "eta": self.step_size, "C": self.clip}
        return at_time(name, TIME, **values, **given, noise=self.noise)  # type: ignore[arg-type]

    @property
    def exponent(self) -> float:
        """C²/(λ η s²): the contraction rate falls like the exponential of minus that."""
        clip, decay, eta, noise = (
            float(sp.Rational(x)) for x in (self.clip, self.decay, self.step_size, self.noise)
        )
        return clip**2 / (decay * eta * noise**2)


class _Task:
    """What a task's results are known by in the cache."""

    __slots__ = ()

    @property
    def key(self) -> str:
        """Return everything that the result depends on."""
        return json.dumps([type(self).__name__, asdict(self)], sort_keys=True)  # type: ignore[call-overload]


def evaluate(task: Any) -> dict[str, Any]:
    """Return what a task finds; the same task finds the same numbers."""
    found: dict[str, Any] = task.found()
    return found


# --- Pairs of chains ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainTask(_Task):
    """Moments of ε² over some pairs, one for each window (K/2, K] of steps.

    A pair's number for a window is the mean over at most `KEPT` steps of it, its last among them.
    """

    setting: Setting
    coupling: Coupling
    windows: tuple[int, ...]
    first: int
    pairs: int
    seed: int

    def __str__(self) -> str:
        return f"N={self.setting.size} {self.coupling}: pairs from {self.first}"

    def found(self) -> dict[str, Any]:
        """Return the sums of the numbers (W,), of their products (W, W), and of steps apart."""
        steps = [steps_of(last, KEPT[self.coupling]) for last in self.windows]
        kept = sorted({k for window in steps for k in window})
        root = np.random.SeedSequence([self.seed, _word(self.setting, self.coupling)])
        run = _run(
            self.setting,
            _law(self.setting),
            self.coupling,
            record=kept,
            first_pair=self.first,
            pairs=self.pairs,
            rng=root,
        )
        changes = changes_of(run, self.setting)
        apart = run.distance > 0
        columns = [[kept.index(k) for k in window] for window in steps]
        values = np.stack([changes[:, one].mean(axis=1) for one in columns], axis=1)
        met = np.array([float(apart[:, one].mean(axis=1).sum()) for one in columns])
        return {
            "pairs": self.pairs,
            "sums": values.sum(axis=0).tolist(),
            "products": (values.T @ values).tolist(),
            "apart": met.tolist(),
        }


@dataclass(frozen=True, slots=True)
class PathTask(_Task):
    """The distance of a few pairs after every step."""

    setting: Setting
    coupling: Coupling
    steps: int
    pairs: int
    seed: int

    def __str__(self) -> str:
        return f"distances, {self.coupling}"

    def found(self) -> dict[str, Any]:
        """Return the distances by pair, before the first step and after each."""
        # The same data, batches and start for both couplings.
        run = _run(
            self.setting,
            _law(self.setting),
            self.coupling,
            record=range(self.steps + 1),
            pairs=self.pairs,
            rng=np.random.SeedSequence([self.seed, _word(self.setting, "path")]),
        )
        return {"distances": run.distance.tolist()}


def steps_of(last: int, most: int) -> tuple[int, ...]:
    """Return at most so many steps of the window (last/2, last], evenly spaced.

    Examples
    --------
    >>> steps_of(1, 4), steps_of(8, 4), steps_of(8, 2)
    ((1,), (5, 6, 7, 8), (6, 8))
    """
    width = last - last // 2
    count = min(most, width)
    return tuple(last - i * width // count for i in reversed(range(count)))


def changes_of(run: ChainPairs, setting: Setting) -> Array:
    """Return ∫|ŝ − ŝⁱ|²dτ at the noised x̃, (pairs, steps); see `CLOSE`."""
    close = (run.distance < CLOSE)[:, :, None]
    told = replace(run, second=np.where(close, run.first, run.second))
    values = score_changes(told, _model(setting), _levels(setting)).values
    point = setting.point(1)
    slope = measure(point, ["score_sensitivity"])["score_sensitivity"].value
    return np.asarray(values + np.where(close[:, :, 0], slope * run.distance**2, 0.0))


def _run(
    setting: Setting,
    law: Callable[[np.random.Generator, tuple[int, int]], Array],
    coupling: Coupling,
    *,
    record: Sequence[int],
    pairs: int,
    rng: np.random.SeedSequence,
    first_pair: int = 0,
    noise: float | None = None,
    start: float = 0.0,
) -> ChainPairs:
    clip, decay = float(sp.Rational(setting.clip)), float(sp.Rational(setting.decay))
    return run_pairs(
        _model(setting),
        law,
        _levels(setting),
        size=setting.size,
        batch=setting.batch,
        redraws=setting.redraws,
        steps=max(record),
        step_size=float(sp.Rational(setting.step_size)),
        weight_decay=decay,
        clip=clip,
        clipping=setting.clipping,
        noise=float(sp.Rational(setting.noise)) if noise is None else noise,
        coupling=coupling,
        projection_radius=clip / decay,
        start=[start],
        pairs=pairs,
        first_pair=first_pair,
        record=list(record),
        rng=rng,
    )


def _model(setting: Setting) -> TwoWells:
    return TwoWells(float(sp.Rational(setting.spread)) ** 2)


def _levels(setting: Setting) -> NoiseLevels:
    mu, sigma = noise_level(setting.point(1), np.array([float(sp.Rational(TIME))]))
    return NoiseLevels(mu, sigma, [1.0])


def _law(setting: Setting) -> Callable[[np.random.Generator, tuple[int, int]], Array]:
    return FourPoints(float(sp.Rational(setting.centre)), float(sp.Rational(setting.spread)))


def _word(setting: Setting, purpose: str) -> int:
    return zlib.crc32(f"{setting} {purpose}".encode())


# --- Bounds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoundTask(_Task):
    """The bounds on ε² at some N or after some K steps."""

    setting: Setting
    sizes: tuple[int, ...]
    steps: tuple[int, ...]

    def __str__(self) -> str:
        return f"bounds, C={self.setting.clip} λ={self.setting.decay} s={self.setting.noise}"

    def found(self) -> dict[str, Any]:
        """Return the bounds by claim, one row for each N; None where nothing is certified."""
        whole = self.setting.clipping == "whole"
        names = (*_SYNCHRONOUS, "proposition-14") if whole else (_REFLECTION[1],)
        rows: dict[str, Any] = {
            name: [[bound_at(name, s, k) for k in self.steps] for s in self._settings()]
            for name in names
        }
        rows["trivial"] = [[trivial_bound(s) for _ in self.steps] for s in self._settings()]
        return rows

    def _settings(self) -> list[Setting]:
        return [replace(self.setting, size=size) for size in self.sizes]


def bound_at(name: str, setting: Setting, steps: int) -> float | None:
    """Return the right side of a claim; None where no contraction is certified.

    Examples
    --------
    >>> round(bound_at("proposition-11", Setting(size=100), 1), 6)
    0.009126
    """
    point = setting.point(steps)
    try:
        numbers = measure(point, _NEEDED[name])
    except ValueError:  # there is no rate above 0 that can be certified
        if name not in _REFLECTION:
            raise
        return None
    _, right, _ = sides(claims.get(f"farghly2026.{name}"), point, numbers)
    return None if right is None else right.value


def trivial_bound(setting: Setting) -> float:
    """Return Λ²(2R)²: no two scores of the ball differ by more."""
    numbers = measure(setting.point(1), ["score_sensitivity", "parameter_radius"])
    diameter = 2 * numbers["parameter_radius"].value
    return numbers["score_sensitivity"].value * diameter**2


@dataclass(frozen=True, slots=True)
class RateTask(_Task):
    """The contraction rate of a step, Eberle's for continuous time, and where bounds cross."""

    setting: Setting

    def __str__(self) -> str:
        return f"rate, η={self.setting.step_size} s={self.setting.noise}"

    def found(self) -> dict[str, Any]:
        """Return rates per unit of time ηk, and the steps from which Proposition 14 is smaller.

        ``low`` is certified, and ``high`` is one that no concave function has; Eberle's drift has
        a σ rounded down to a thousandth.
        """
        point = self.setting.point(1)
        eta, decay, clip, noise = (
            dict(point.values)[name] for name in ("eta", "lambda", "C", "noise")
        )
        found: dict[str, Any] = {"low": None, "high": None, "crossing": None, "saturated": None}
        try:
            certificate = contraction_at(point).certificate
        except ValueError:  # as in `bound_at`
            pass
        else:
            found |= {
                "low": float(certificate.rate_low.mid()) / float(eta),
                "high": float(certificate.rate_high.mid()) / float(eta),
            }
            limit = bound_at("proposition-14", self.setting, 1)
            assert limit is not None
            crossings = [crossing(name, self.setting, limit) for name in _SYNCHRONOUS]
            found |= dict(zip(("crossing", "saturated"), crossings, strict=True))
        sigma = sp.Rational(math.floor(1000 * float(noise * sp.sqrt(eta))), 1000)
        drift = clipped_gradient(decay, lipschitz_of(point), clip, sigma)
        return found | {"eberle": float(eberle_constants(drift, digits=9).rate.mid())}


def crossing(name: str, setting: Setting, limit: float) -> int | None:
    """Return the least K at which a bound that grows with K exceeds a limit; None if none does.

    Examples
    --------
    >>> crossing("proposition-11", Setting(size=100), 0.01)
    2
    """

    def exceeds(steps: int) -> bool:
        bound = bound_at(name, setting, steps)
        return bound is None or bound > limit

    high = 1
    while not exceeds(high):
        high *= 2
        if high > MOST_STEPS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if exceeds(middle) else (middle, high)
    return high


# --- Minibatch noise ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MinibatchTask(_Task):
    """Chains without Gaussian noise: many on each data set, and on it with one point replaced."""

    setting: Setting
    start: str
    steps: int
    data_sets: int
    chains: int
    seed: int

    def __str__(self) -> str:
        return f"minibatch noise, B={self.setting.batch}"

    def found(self) -> dict[str, Any]:
        """Return numbers by data set, the noise found, and Proposition 14's bound with it.

        ``synchronous`` is ε² of that coupling, ``infimum`` of matched quantiles, ``floor`` that of
        two halves of the chains on S; ``w2`` and ``w2_floor`` are W_2 of θ, ``variance`` the mean
        variance of the clipped gradient given θ, at the chains' last θ.
        """
        columns = ("synchronous", "infimum", "floor", "w2", "w2_floor", "variance")
        found: dict[str, Any] = {name: [] for name in columns}
        for index in range(self.data_sets):
            for name, value in zip(columns, self._data_set(index), strict=True):
                found[name].append(value)
        deviation = math.sqrt(float(np.mean(found["variance"])))
        noise = sp.Rational(math.floor(100 * deviation), 100)
        found |= {"noise": str(noise), "bound": None, "trivial": trivial_bound(self.setting)}
        if noise > 0:
            noisy = replace(self.setting, noise=str(noise))
            found["bound"] = bound_at("proposition-14", noisy, self.steps)
        return found

    def _data_set(self, index: int) -> tuple[float, ...]:
        setting, word = self.setting, _word(self.setting, "minibatch")
        data = _law(setting)(keyed(self.seed, word, index), (1, setting.size + 1))
        run = _run(
            setting,
            lambda rng, shape: np.broadcast_to(data, (*shape, 1)),
            "synchronous",
            record=[self.steps],
            pairs=self.chains,
            rng=np.random.SeedSequence([self.seed, word, index]),
            noise=0.0,
            start=float(sp.Rational(self.start)),
        )
        first, second = run.first[:, 0, 0], run.second[:, 0, 0]
        half = self.chains // 2
        rng = keyed(self.seed, word, index, 1)
        return (
            float(changes_of(run, setting).mean()),
            _matched(run, first, second, setting),
            _matched(run, first[:half], first[half : 2 * half], setting),
            optimal_distance_1d(first, second),
            optimal_distance_1d(first[:half], first[half : 2 * half]),
            gradient_variance(first, data[0, :-1, 0], setting, rng),
        )


def _matched(run: ChainPairs, first: Array, second: Array, setting: Setting) -> float:
    """Return the mean change of the score where the quantiles of |θ| are matched."""
    count = len(first)
    low, high = (np.sort(np.abs(one))[:, None, None] for one in (first, second))
    pairs = replace(
        run,
        first=low,
        second=high,
        replaced=run.replaced[:count],
        swapped_in=run.swapped_in[:count],
    )
    return float(changes_of(pairs, setting).mean())


def gradient_variance(
    theta: Array, data: Array, setting: Setting, rng: np.random.Generator
) -> float:
    """Return the variance of the clipped gradient given θ, in the mean over some θ.

    Half the mean squared difference of two independent batches.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> gradient_variance(np.zeros(4), np.ones(20), Setting(size=20), rng)
    0.0
    """
    first, second = (_gradients(theta, data, setting, rng) for _ in range(2))
    return 0.5 * float(np.mean((first - second) ** 2))


def _gradients(theta: Array, data: Array, setting: Setting, rng: np.random.Generator) -> Array:
    """Return one clipped gradient for each θ, of a batch of its own."""
    chosen = rng.random((len(theta), len(data))).argsort(axis=1)[:, : setting.batch]
    points = np.repeat(data[chosen].ravel(), setting.redraws)
    draws = setting.batch * setting.redraws
    levels, clip = _levels(setting), float(sp.Rational(setting.clip))
    rows = _model(setting).gradient(
        np.repeat(theta, draws)[:, None],
        points[:, None],
        rng.standard_normal((len(points), 1)),
        np.full(len(points), levels.mu[0]),
        np.full(len(points), levels.sigma[0]),
    )
    by_sample = rows.reshape(len(theta), setting.batch, setting.redraws).mean(axis=2)
    if setting.clipping == "per-sample":
        by_sample = np.clip(by_sample, -clip, clip)
    return np.asarray(np.clip(by_sample.mean(axis=1), -clip, clip))
