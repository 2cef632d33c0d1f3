"""Score models of your own, as compiled functions or as NumPy callables, tried before a run."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError
from numpy.typing import NDArray

from numerics.chain_models import BuiltIn

Array = NDArray[np.float64]
Rows = Callable[..., Array]

# Entries on either side of the ``out`` of a trial, and what they hold.
_MARGIN = 64
_SENTINEL = -1.25e-77

_ARGUMENTS = {
    "score": "score(theta, x, mu, sigma, out)",
    "gradient": "gradient(theta, x0, z, mu, sigma, out)",
}


@dataclass(frozen=True, slots=True, eq=False)
class UserModel:
    """A score model s_θ(x; μ, σ) and the gradient in θ of |s_θ(X) + z/σ|² at X = μ x_0 + σ z.

    Parameters
    ----------
    score, gradient : callable
        With ``compiled``, functions made by ``numba.njit`` for one draw, which fill ``out``:
        ``score(theta, x, mu, sigma, out)`` with ``out`` (d,), and
        ``gradient(theta, x0, z, mu, sigma, out)`` with ``out`` (p,). Without, NumPy callables on
        rows: ``score(theta (n, p), x (n, d), mu (n,), sigma (n,))`` gives (n, d), and
        ``gradient(theta (n, p), x0 (n, d), z (n, d), mu (n,), sigma (n,))`` gives (n, p).
        Arguments are read only.
    parameters, dimension : int
        p and d, each at least 1.
    compiled : bool
        Which of the two it is.

    Raises
    ------
    ValueError
        One line, for a number outside its domain, or functions that are not what is declared.
        What they return is looked at when they are called: compiled ones once before a run.

    Examples
    --------
    >>> model = UserModel(
    ...     lambda theta, x, mu, sigma: theta - x,
    ...     lambda theta, x0, z, mu, sigma: 2 * (theta - x0),  # where mu = sigma = 1
    ...     parameters=2, dimension=2, compiled=False)
    >>> score_rows(model)(np.ones((3, 2)), np.zeros((3, 2)), np.ones(3), np.ones(3)).shape
    (3, 2)
    """

    score: Callable[..., Any]
    gradient: Callable[..., Any]
    parameters: int
    dimension: int
    compiled: bool

    def __post_init__(self) -> None:
        for name in ("parameters", "dimension"):
            value = getattr(self, name)
            try:
                number = 0 if isinstance(value, (bool, np.bool_)) else operator.index(value)
            except TypeError:
                number = 0
            if number < 1:
                raise ValueError(f"{name} = {value!r}: an integer >= 1 is needed; pass 1, say")
        for name in ("score", "gradient"):
            function = getattr(self, name)
            if not callable(function):
                raise ValueError(f"{name} = {function!r}: it must be callable; pass a function")
            if self.compiled != isinstance(function, Dispatcher):
                fix = "decorate it with numba.njit" if self.compiled else "pass compiled=True"
                found = "no numba function" if self.compiled else "a numba function"
                raise ValueError(f"compiled = {self.compiled}: {name} is {found}; {fix}")

    def parameter_count(self, dimension: int) -> int:
        """Return p."""
        return self.parameters


Model = BuiltIn | UserModel


def score_rows(model: Model) -> Rows:
    """Return the model's score on rows; what a user's returns is checked.

    Examples
    --------
    >>> from numerics.chain_models import TwoWells
    >>> one = np.ones(1)
    >>> score_rows(TwoWells(0.0))(one[:, None], np.zeros((1, 1)), one, one).tolist()
    [[0.0]]
    """
    if not isinstance(model, UserModel):
        return model.score
    return _compiled_scores(model.score) if model.compiled else _checked("score", model.score, 1)


def gradient_rows(model: Model) -> Rows:
    """Return the gradient on rows of a model with NumPy formulas; a user's is checked.

    Examples
    --------
    >>> from numerics.chain_models import TwoWells
    >>> one = np.ones(1)
    >>> gradient_rows(TwoWells(0.0))(one[:, None], np.zeros((1, 1)), one[:, None], one, one).shape
    (1, 1)
    """
    return (
        _checked("gradient", model.gradient, 0) if isinstance(model, UserModel) else model.gradient
    )


def try_compiled(model: UserModel, theta: Array, x0: Array) -> None:
    """Call both functions of a compiled model once, and look at what they leave in ``out``.

    Each runs first as plain Python, where NumPy checks indices and shapes, then compiled, between
    margins that must stay as they are.

    Raises
    ------
    ValueError
        One line that names the function and the shape that it should fill.
    """
    z = np.linspace(0.3, 0.9, len(x0))
    _try("score", model.score, (theta, x0 + z, 1.0, 1.0), len(x0))
    _try("gradient", model.gradient, (theta, x0, z, 1.0, 1.0), len(theta))


def _try(name: str, function: Any, arguments: tuple[Any, ...], length: int) -> None:
    wanted = f"{_ARGUMENTS[name]} must fill out, shape ({length},)"
    for call in (function.py_func, function):
        room = np.full(length + 2 * _MARGIN, _SENTINEL)
        out = room[_MARGIN : _MARGIN + length]
        out[:] = np.nan
        copies = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
        try:
            call(*copies, out)
        except (IndexError, ValueError, TypeError, NumbaError) as error:
            first = " ".join(str(error).split())[:160]
            raise ValueError(f"{name} failed on a trial ({first}): {wanted}; change it") from None
        if np.any(room[:_MARGIN] != _SENTINEL) or np.any(room[-_MARGIN:] != _SENTINEL):
            raise ValueError(f"{name} wrote outside of out: {wanted}; check its indices")
        unset = int(np.count_nonzero(np.isnan(out)))
        if unset:
            raise ValueError(
                f"{name} left {unset} of {length} entries of out unset or nan: {wanted}; set each"
            )
        if any(not np.array_equal(a, b) for a, b in zip(arguments, copies, strict=True)):
            raise ValueError(f"{name} changed its arguments: {wanted} only; copy what it changes")


def _checked(name: str, function: Callable[..., Any], like: int) -> Rows:
    """Wrap a callable on rows: its result must have the shape of its ``like``-th argument."""

    def rows(*arguments: Array) -> Array:
        found = np.asarray(function(*arguments))
        wanted = arguments[like].shape
        if found.shape != wanted or found.dtype.kind not in "fiu":
            raise ValueError(
                f"{name} returned shape {found.shape} and dtype {found.dtype}: it must be real, "
                f"shape {wanted}, a row per draw; return that"
            )
        return np.asarray(found, dtype=np.float64)

    return rows


@lru_cache(maxsize=8)
def _compiled_scores(score: Any) -> Rows:
    @njit
    def fill(theta, x, mu, sigma, out):  # type: ignore[no-untyped-def]
        for n in range(len(x)):
            score(theta[n], x[n], mu[n], sigma[n], out[n])

    def rows(theta: Array, x: Array, mu: Array, sigma: Array) -> Array:
        out = np.empty(x.shape)
        contiguous = np.ascontiguousarray
        fill(contiguous(theta), contiguous(x), contiguous(mu), contiguous(sigma), out)
        return out

    return rows
