"""Gaussian fields: the covariance asked for, the same bits in any batch, and one-line refusals."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from numerics.random_fields import covariance_root, field_samples, gaussian_weights

Array = NDArray[np.float64]
DRAWS = 20_000


def covariance(size: int, rank: int, seed: int) -> Array:
    factor = np.random.default_rng(np.random.SeedSequence(seed)).normal(size=(size, rank))
    return np.asarray(factor @ factor.T)


def assert_covariance(samples: Array, wanted: Array, probability: float) -> None:
    """Whitened samples are standard normal: each direction, and each pair, has its chi-square.

    u'y and (u ± v)'y / √2 for whitened y are standard normal, so that N of their squares sum to
    χ²_N exactly; a failure of any of the r² tests has at most the stated probability.
    """
    values, vectors = np.linalg.eigh(wanted)
    kept = values > 1e-10 * values[-1]
    rank = int(np.sum(kept))
    outside = samples @ vectors[:, ~kept]
    # 1e-6 of the largest: the root of an eigenvalue that is rounding
    assert np.all(np.abs(outside) < 1e-6 * np.sqrt(values[-1]))
    white = samples @ (vectors[:, kept] / np.sqrt(values[kept]))
    squares = white.T @ white
    diagonal = np.diagonal(squares)
    half = 0.5 * (diagonal[:, None] + diagonal[None, :])
    statistics = np.where(np.triu(np.ones((rank, rank))) > 0, half + squares, half - squares)
    np.fill_diagonal(statistics, diagonal)
    tail = probability / rank**2 / 2.0
    low, high = chi2.ppf(tail, len(samples)), chi2.isf(tail, len(samples))
    assert low < float(statistics.min())
    assert float(statistics.max()) < high


def test_root_is_symmetric_and_squares_to_the_covariance() -> None:
    wanted = covariance(7, 4, seed=1)
    root = covariance_root(wanted)
    assert root == pytest.approx(root.T, abs=1e-14)
    assert root @ root == pytest.approx(wanted, abs=1e-13 * float(np.max(wanted)))
    assert np.linalg.matrix_rank(root, tol=1e-9) == 4


@pytest.mark.parametrize(("size", "rank"), [(5, 5), (6, 3)])
def test_field_has_its_covariance(size: int, rank: int) -> None:
    """20 000 draws; false alarm 1e-9."""
    wanted = covariance(size, rank, seed=size)
    assert_covariance(field_samples(wanted, DRAWS, seed=3), wanted, 1e-9)


def test_test_of_the_covariance_can_fail() -> None:
    """One part in ten is seen with 20 000 draws."""
    wanted = covariance(5, 5, seed=5)
    with pytest.raises(AssertionError):
        assert_covariance(field_samples(1.1 * wanted, DRAWS, seed=3), wanted, 1e-9)


def blocks(seed: int = 4) -> Array:
    """Cov(w_a, w_b) for d = 2 outputs and F = 3 features, of rank 4."""
    return covariance(6, 4, seed).reshape(2, 3, 2, 3).transpose(0, 2, 1, 3)


def test_weights_have_their_mean_and_covariance() -> None:
    """20 000 draws; false alarm 1e-9 for the covariance, 12 directions at 7 deviations 3e-11."""
    mean, wanted = np.arange(6.0).reshape(2, 3), blocks()
    drawn = gaussian_weights(mean, wanted, DRAWS, seed=5)
    assert drawn.shape == (DRAWS, 2, 3)
    flat = (drawn - mean).reshape(DRAWS, 6)
    matrix = wanted.transpose(0, 2, 1, 3).reshape(6, 6)
    assert_covariance(flat, matrix, 1e-9)
    deviations = np.sqrt(np.diagonal(matrix) / DRAWS)
    assert np.all(np.abs(flat.mean(axis=0)) < 7.0 * deviations)


def test_weights_and_field_agree() -> None:
    """The field φᵀw of sampled weights, and samples of the field of covariance φᵀ Cov φ'."""
    wanted = blocks()
    features = np.random.default_rng(np.random.SeedSequence(8)).normal(size=(3, 3))
    kernel = np.einsum("if,abfg,jg->ijab", features, wanted, features)
    matrix = kernel.transpose(0, 2, 1, 3).reshape(6, 6)
    weights = gaussian_weights(np.zeros((2, 3)), wanted, DRAWS, seed=6)
    through = np.einsum("nag,ig->nia", weights, features)
    assert_covariance(through.reshape(DRAWS, 6), matrix, 1e-9)
    direct = field_samples(kernel, DRAWS, seed=7)
    assert direct.shape == through.shape
    assert_covariance(direct.reshape(DRAWS, 6), matrix, 1e-9)


def test_bits_do_not_depend_on_how_many_are_drawn() -> None:
    wanted = covariance(5, 5, seed=2)
    many = field_samples(wanted, 300, seed=1)
    for count in (0, 1, 63, 64, 65, 200):
        assert np.array_equal(field_samples(wanted, count, seed=1), many[:count])
    assert len(np.unique(many[:, 0])) == 300
    assert not np.array_equal(field_samples(wanted, 1, seed=2), many[:1])
    mean, spread = np.zeros((2, 3)), blocks()
    assert np.array_equal(
        gaussian_weights(mean, spread, 70, seed=1)[:65], gaussian_weights(mean, spread, 65, seed=1)
    )


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (np.diag([1.0, -1e-3]), "eigenvalue -0.001"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "transpose by 0.5"),
        (np.ones((2, 3)), "has shape (2, 3)"),
        (np.ones((2, 2, 2)), "has shape (2, 2, 2)"),
        (np.array([[np.nan]]), "not finite"),
    ],
)
def test_no_covariance_is_refused_on_one_line(matrix: Array, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked for below
        field_samples(matrix, 1, 0)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_shapes_of_weights_must_fit() -> None:
    with pytest.raises(ValueError, match="mean has shape"):
        gaussian_weights(np.zeros((1, 3)), np.zeros((1, 1, 2, 2)), 1, 0)
    with pytest.raises(ValueError, match="count = -1"):
        gaussian_weights(np.zeros((1, 1)), np.zeros((1, 1, 1, 1)), -1, 0)
