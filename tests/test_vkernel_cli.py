"""``scorecert vkernel``: the numbers of the library, maps, and one line for every bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from numerics.feature_fits import fit_denoisers
from numerics.features import gaussian_features
from numerics.schedules import schedule_named
from numerics.v_kernel import population_matrices, score_variance
from numerics.v_kernel_deviation import measured_ratio
from proofs_check.cli import main
from proofs_check.data_variance import relative_proxy_variance
from proofs_check.data_variance_features import box_of, built_features, parse_features
from proofs_check.errors import UsageError

Array = NDArray[np.float64]
SMALL = ("vkernel", "three.csv", "--features", "gaussian:4x3", "--P", "200", "--eps", "0.02")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("three.csv").write_text("-1\n0\n1\n")
    Path("plane.csv").write_text("1,0\n0,1\n-1,0\n")
    Path("space.csv").write_text("1,0,0\n0,1,0\n")
    Path("one.csv").write_text("1\n")
    Path("header.csv").write_text("x\n")
    Path("same.csv").write_text("1\n1\n")


def test_numbers_are_those_of_the_library(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--times", "0.02,0.5", "--models", "20", "--seed", "4", "--json")
    assert main([*SMALL, *options, "--out", "maps.npz"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    schedule, data = schedule_named("vp-linear"), np.array([[-1.0], [0.0], [1.0]])
    features = gaussian_features((4, 3), early_stopping_time=0.02)
    matrices = population_matrices(features, data, schedule, early_stopping_time=0.02, ridge=0.1)
    fit = fit_denoisers(
        features, data, schedule, size=200, models=20, early_stopping_time=0.02, seed=4
    )
    for form in ("sandwich", "representable"):
        expected = measured_ratio(fit.weights, matrices, 200, form=form)
        assert list(found[form].values()) == pytest.approx(list(expected), rel=1e-9)
    assert (found["low"], found["high"], found["feature_count"]) == (-1.5, 1.5, 12)
    assert found["features_per_draw"] == pytest.approx(0.06)
    assert found["effective_size"] == pytest.approx(200.0 * matrices.effective_share)
    assert found["quadrature_errors"]["second_moment"] < 1e-6
    with np.load("maps.npz") as maps:
        assert sorted(maps.files) == sorted(
            ["points", "times", "score_variance", "relative_proxy_variance", "weights"]
        )
        assert maps["points"].shape == (121, 1)
        assert maps["times"].tolist() == [0.02, 0.5]
        expected_map = score_variance(matrices, maps["points"], 0.5, 200)[:, 0, 0]
        assert maps["score_variance"][1] == pytest.approx(expected_map, rel=1e-9)
        for index, row in enumerate(found["times"]):
            assert row["mean_variance"] == pytest.approx(np.mean(maps["score_variance"][index]))
            assert row["largest_variance"] == pytest.approx(np.max(maps["score_variance"][index]))
            assert row["largest_proxy"] == pytest.approx(
                np.max(maps["relative_proxy_variance"][index])
            )
            assert row["ratio"]["lower"] < row["ratio"]["ratio"] < row["ratio"]["upper"]


def test_text_warns_when_draws_are_effectively_fewer_than_features(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*SMALL, "--times", "0.5"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "F = 12, P = 200, F/P = 0.06, effective sample size 11." in out
    assert "F = 12 exceeds the effective sample size" in out
    assert "refitted" not in out
    assert main([*SMALL[:-4], "--P", "4000", "--times", "0.5", "--models", "5"]) == 0
    out, _ = capsys.readouterr()
    assert "exceeds" not in out
    assert "5 refitted models" in out
    assert not list(Path().glob("*.npz"))


@pytest.mark.parametrize("features", ["fourier:3x3x2", "fourier-distinct:3x3x2", "gaussian:3x3x2"])
def test_two_dimensions(features: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--features", features, "--times", "0.1", "--eps", "0.1", "--out", "m.npz"]
    assert main(["vkernel", "plane.csv", *arguments, "--schedule", "ou"]) == 0
    assert "3 rows, 2 columns" in capsys.readouterr().out
    with np.load("m.npz") as maps:
        assert maps["points"].shape == (41 * 41, 2)
        assert np.all(maps["score_variance"] > 0.0)
        proxy = maps["relative_proxy_variance"]
        assert np.all((proxy >= 0.0) & (proxy <= 1.0))


def test_relative_proxy_variance_of_two_points() -> None:
    """Points ±1: posterior mean tanh(μx/σ²), variance 1 - tanh²; all in closed form."""
    schedule, time = schedule_named("fraction"), 0.4
    mu, variance = np.sqrt(0.6), 0.4
    x = np.linspace(-2.0, 2.0, 9)
    mean = np.tanh(mu * x / variance)
    noise, score = mu**2 / variance**2 * (1.0 - mean**2), (mu * mean - x) / variance
    found = relative_proxy_variance(x[:, None], np.array([[-1.0], [1.0]]), schedule, time)
    assert found == pytest.approx(noise / (noise + score**2), rel=1e-9)
    same = relative_proxy_variance(np.array([[0.0]]), np.zeros((2, 1)), schedule, time)
    assert same.tolist() == [0.0]


def test_parts() -> None:
    assert parse_features("gaussian:16x16", 1) == ("gaussian", (16, 16))
    assert box_of(np.array([[0.0], [4.0]]), None, 9.0) == (-1.0, 9.0)
    distinct = built_features("fourier-distinct:3x3", 1, low=0.0, high=1.0, eps=0.1, horizon=1.0)
    assert distinct.count == 9
    with pytest.raises(UsageError, match="at least 2 Gaussian centres"):
        built_features("gaussian:1x3", 1, low=0.0, high=1.0, eps=0.1, horizon=1.0)


BAD: dict[str, tuple[tuple[str, ...], str]] = {
    "no file": (("none.csv",), "no such file"),
    "no point": (("header.csv",), "header.csv"),
    "one point": (("one.csv",), "fewer than two rows"),
    "dimension": (("space.csv",), "dimension above 2 (3 columns)"),
    "counts": (("three.csv", "--features", "gaussian:4x4x4"), "3 counts, but data of dimension 1"),
    "counts 2": (("plane.csv",), "2 counts, but data of dimension 2 need 3"),
    "no counts": (("three.csv", "--features", "gaussian"), "counts are integers"),
    "text counts": (("three.csv", "--features", "gaussian:axb"), "counts are integers"),
    "too many": (("three.csv", "--features", "gaussian:999x999"), "998001 features, at most"),
    "family": (("three.csv", "--features", "gausian:4x4"), "did you mean 'gaussian'?"),
    "schedule": (("three.csv", "--schedule", "oo"), "did you mean 'ou'?"),
    "F > P": (
        ("three.csv", "--ridge", "0", "--P", "255"),
        "ridge = 0 with F = 256 features and P = 255 draws",
    ),
    "redundant": (
        ("three.csv", "--features", "gaussian:4x3", "--ridge", "0", "--low", "90", "--high", "99"),
        "x centre 9",
    ),
    "ridge": (("three.csv", "--ridge", "-1"), "ridge=-1: the ridge is a number ≥ 0"),
    "ridge text": (("three.csv", "--ridge", "much"), "ridge=much"),
    "ridge large": (("three.csv", "--ridge", "1e399"), "beyond the range of float64"),
    "eps": (("three.csv", "--eps", "0"), "not t at 0"),
    "T": (("three.csv", "--eps", "1", "--T", "0.5"), "below T (0.5)"),
    "T = eps": (("three.csv", "--eps", "1"), "eps=1: eps is a time > 0 and below T"),
    "horizon": (("three.csv", "--schedule", "fraction"), "fraction needs a horizon below 1"),
    "time 0": (("three.csv", "--times", "0,0.5"), "times=0,0.5: t at 0"),
    "time below": (("three.csv", "--times", "0.001"), "lies outside [eps, horizon]"),
    "time text": (("three.csv", "--times", "now"), "times=now"),
    "time form": (("three.csv", "--times", "cub:3"), "must be log:COUNT"),
    "P": (("three.csv", "--P", "0"), "P=0: the number of draws"),
    "models": (("three.csv", "--models", "2"), "models=2: 0, or at least 3"),
    "seed": (("three.csv", "--seed", "-1"), "seed=-1"),
    "box": (("three.csv", "--low", "2", "--high", "1"), "pass --low below --high"),
    "no box": (("same.csv",), "the box is empty"),
    "out form": (("three.csv", "--out", "maps.csv"), "name a file ending in .npz"),
    "out folder": (("three.csv", "--out", "no/maps.npz"), "no such folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_writes_nothing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, words = BAD[name]
    before = sorted(Path().iterdir())
    out = () if "--out" in arguments else ("--out", "maps.npz")
    assert main(["vkernel", *arguments, *out]) == 2
    printed, err = capsys.readouterr()
    assert printed == ""
    assert words in err
    assert err.count("\n") == 1
    assert sorted(Path().iterdir()) == before
