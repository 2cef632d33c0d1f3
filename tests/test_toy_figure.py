"""The figure ``toy``: its numbers, its verdicts, its files, and running it again."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from numerics.density import empirical_score_line, kl_divergence, transport_density
from numerics.sampler_times import two_phase_times
from proofs_check.cli import main
from proofs_check.figures import FIGURES, drawing, toy
from proofs_check.figures.cache import PointCache
from proofs_check.figures.toy import Batch, compute
from proofs_check.figures.toy_curves import (
    Curve,
    eps_curve,
    kappa_curve,
    steps_curve,
    verdict_on,
)
from proofs_check.figures.toy_points import data_set, grid_of, line_run
from proofs_check.figures.toy_record import SHOWN, Toy
from proofs_check.figures.toy_targets import LINES, PLANES, Line
from proofs_check.figures.toy_verdicts import (
    FALLS,
    RISES,
    TURNS,
    U_SHAPE,
    UNDECIDED,
    least_of,
    shape_of,
)

SMALL = (
    Batch("circle", 40, 2, (12, 8, 6), 2),
    Batch("normal", 10, 2, (8, 6, 4), 4),
    Batch("pair", 40, 3, (12, 8, 4), 4),
    Batch("normal", 40, 4, (24, 12, 8, 5, 4), 4),
)


@pytest.fixture(scope="module")
def record() -> Toy:
    return compute(plan=SMALL, cache=PointCache(None))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", [5, 8, 12, 24, 48, 64, 96, 240])
def test_every_pace_meets_one_hundredth(pace: int) -> None:
    grid = grid_of(pace, 5)
    assert float(np.min(np.abs(grid.noise_times / 0.01 - 1))) < 1e-12
    assert grid.times.horizon == pytest.approx(5.0, abs=0.6)
    if pace % 4 == 0:
        shown = [eps for eps in SHOWN if eps > 1e-3]
        assert all(float(np.min(np.abs(grid.noise_times / eps - 1))) < 1e-12 for eps in shown)


def test_one_number_is_that_of_a_direct_run(record: Toy) -> None:
    """The same divergence with other times' code, interval and accuracy."""
    kappa = math.sqrt(10) ** (1 / 3) - 1  # twelve steps to 1/100
    times = two_phase_times(kappa, 9, 12)
    score, _ = empirical_score_line(data_set("normal", 40, 1, 0))
    run = transport_density(score, times, interval=(-9.5, 9.5), accuracy=1e-11)
    direct = kl_divergence(lambda x: -0.5 * x * x - 0.5 * math.log(2 * math.pi), run.final)
    curve = kappa_curve(record.sweeps, "normal", 40, "kl_target", 0.01)
    assert curve is not None
    at = int(np.argmin(np.abs(curve.abscissae - kappa)))
    assert curve.values[1, at] == pytest.approx(direct.value, abs=1e-7)


@pytest.mark.parametrize("law", [LINES["normal"], LINES["wide"], LINES["narrow"]])
def test_one_training_point_has_a_closed_form(law: Line) -> None:
    """The output is Gaussian then, and so is everything else."""
    place, grid, variance = 0.7, grid_of(12, 4), law.width**2
    run = line_run(law, np.array([place]), grid)
    mean, spread, error = 0.0, 1.0, 0.0
    for k, u in enumerate(grid.times.noise_times):
        mu, noise = math.exp(-u), -math.expm1(-2 * u)
        total = mu**2 * variance + noise
        if k in grid.kept:
            at = grid.kept.index(k)
            for name, other, centre in (("kl_target", variance, 0.0), ("kl_noised", total, 0.0)):
                share = other / spread
                expected = 0.5 * (share - 1 - math.log(share) + (mean - centre) ** 2 / spread)
                assert run[name][at] == pytest.approx(expected, abs=1e-7)
            assert run["score_error"][at] == pytest.approx(error, abs=1e-7)
        if k < len(grid.times.steps):
            step = float(grid.times.steps[k])
            slope = 1 / total - 1 / noise  # of the difference of the two scores
            error += step * (slope**2 * total + (mu * place / noise) ** 2)
            grown, push = math.exp(step), 2 * math.expm1(step)
            mean = (grown - push / noise) * mean + push * mu * place / noise
            spread = (grown - push / noise) ** 2 * spread + math.expm1(2 * step)


@pytest.mark.parametrize("name", [*LINES, *PLANES])
@pytest.mark.parametrize("u", [0.05, 0.7])
def test_noised_densities_and_scores(name: str, u: float) -> None:
    """Against a mean over many points of the law itself."""
    rng = np.random.default_rng(1)
    points = (LINES | PLANES)[name].sample(rng, 200_000)
    points = points.reshape(len(points), -1)
    mu, variance = math.exp(-u), -math.expm1(-2 * u)
    places = np.array([[0.3, 0.9], [-0.8, 0.1], [0.0, 1.3]])[:, : points.shape[1]]
    got = (LINES | PLANES)[name].log_density(u)(places if name in PLANES else places[:, 0])
    for place, value in zip(places, got, strict=True):
        away = ((place - mu * points) ** 2).sum(axis=1)
        kernel = np.exp(-0.5 * away / variance) / (2 * math.pi * variance) ** (len(place) / 2)
        # six standard errors: 2e-9 in each of 36 comparisons
        assert abs(math.exp(value) - kernel.mean()) < 6 * kernel.std() / math.sqrt(len(kernel))
    if name in LINES:
        line, h = LINES[name], 1e-5
        x = places[:, 0]
        slope = (line.log_density(u)(x + h) - line.log_density(u)(x - h)) / (2 * h)
        np.testing.assert_allclose(line.score(u)(x), slope, atol=1e-6, rtol=1e-6)


def test_the_standard_normal_stays_as_it_is(record: Toy) -> None:
    for sweep in record.sweeps:
        if sweep.target == "normal":
            values = sweep.values
            np.testing.assert_allclose(values["kl_target"], values["kl_noised"], atol=1e-13)
            assert np.abs(values["kl_target"][:, 0]).max() < 1e-12, "at T nothing has moved"


def test_no_data_set_breaks_the_bound(record: Toy) -> None:
    told = 0
    for sweep in record.sweeps:
        for column in range(len(sweep.eps)):
            part, bound = record.parts_of(sweep, column), record.bound(sweep, column)
            if part is not None and bound is not None:
                error = np.sqrt(sweep.values["score_error"][:, column])
                single = part.prior + (error + math.sqrt(part.discretisation)) ** 2
                assert np.all(sweep.values["kl_noised"][:, column] <= single)
                assert bound[0] >= single.mean() * (1 - 1e-12)
                told += 1
    assert told > 10


def test_another_seed_and_another_size() -> None:
    assert not np.any(data_set("normal", 5, 0, 0) == data_set("normal", 5, 0, 1))
    assert not np.any(data_set("normal", 5, 0, 0) == data_set("normal", 5, 1, 0))
    for name in (*LINES, *PLANES):
        np.testing.assert_array_equal(data_set(name, 9, 2, 3)[:4], data_set(name, 4, 2, 3))


# --- Verdicts -------------------------------------------------------------------------------------


def _synthetic(mean: list[float], spread: float, sets: int = 60) -> np.ndarray:
    """A curve whose data sets differ as a whole, and a little at each abscissa."""
    rng = np.random.default_rng(len(mean))
    whole = rng.standard_normal((sets, 1))
    return np.array(mean) + whole + spread * rng.standard_normal((sets, len(mean)))


@pytest.mark.parametrize(
    ("mean", "spread", "expected"),
    [
        ([3, 2, 1.5, 1.4, 1.6, 2.2], 0.02, (U_SHAPE, 3, 2)),
        ([3, 2, 1.5, 1.5, 1.6, 2.2], 0.001, (U_SHAPE, 2, 2)),
        ([3, 2, 1.5, 1.4, 1.2, 1.0], 0.02, (FALLS, 5, 0)),
        ([0, 1, 2, 3], 0.02, (RISES, 0, 3)),
        ([0, 1, 0, 1], 0.02, (TURNS, 1, 2)),
        ([1, 2, 3, 1], 0.02, (TURNS, 1, 2)),
        ([0, 0, 0, 0, 0], 1.0, (UNDECIDED, 0, 0)),
        ([3, 2, 2, 2, 2], 0.001, (UNDECIDED, 1, 0)),
    ],
)
def test_shapes(mean: list[float], spread: float, expected: tuple[str, int, int]) -> None:
    shape = shape_of(_synthetic(mean, spread))
    assert (shape.name, shape.falls, shape.rises) == expected


def test_where_a_curve_is_least() -> None:
    sharp = least_of(_synthetic([3, 1, 0.5, 1, 3], 0.02))
    assert (sharp.index, sharp.low, sharp.high) == (2, 2, 2)
    flat = least_of(_synthetic([3, 0.5, 0.5, 0.5, 3], 0.02))
    assert (flat.low, flat.high) == (1, 3)
    with pytest.raises(ValueError, match="two data sets and three abscissae"):
        shape_of(np.zeros((1, 5)))
    with pytest.raises(ValueError, match="NaN"):
        least_of(np.full((5, 5), math.nan))


def test_noise_is_judged_wrongly_no_more_often_than_stated() -> None:
    """1000 curves of pure noise; at 99.9 % a count above 12 has probability below 1e-9."""
    rng = np.random.default_rng(0)
    curves = rng.standard_normal((1000, 12, 5))
    assert sum(shape_of(curve).name != UNDECIDED for curve in curves) <= 12
    assert sum(least_of(curve).low != 0 for curve in curves) <= 12


def test_verdicts_say_what_curves_are(record: Toy) -> None:
    for variable in ("kappa", "steps"):
        find = kappa_curve if variable == "kappa" else steps_curve
        curve = find(record.sweeps, "normal", 40, "kl_target", 0.01)
        assert curve is not None
        assert np.all(np.diff(curve.abscissae) > 0)
        assert record.verdict(curve) == verdict_on(curve)
    assert curve.abscissae.tolist() == [6, 8, 13, 21, 43], "K = L + m"
    sweep = next(s for s in record.sweeps if (s.target, s.size, s.pace) == ("pair", 40, 8))
    whole, late = (eps_curve(sweep, "kl_target", whole=whole) for whole in (True, False))
    assert whole is not None
    assert late is not None
    assert whole.abscissae[-1] == sweep.horizon > late.abscissae[-1] == 1.0
    assert isinstance(late, Curve)
    lines = record.summary()
    assert "99.9 %" in lines[0]
    assert any("best κ" in line and "N = 10" in line for line in lines)


# --- Running again --------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on(
    record: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, evaluated = tmp_path / "toy.jsonl", toy.evaluate
    count = 0

    def stopping(task: toy.Task) -> Any:
        nonlocal count
        count += 1
        if count > 6:
            raise KeyboardInterrupt
        return evaluated(task)

    monkeypatch.setattr(toy, "evaluate", stopping)
    with pytest.raises(KeyboardInterrupt):
        compute(plan=SMALL, cache=PointCache(path))
    known = dict(json.loads(line) for line in path.read_text().splitlines() if line)
    assert len(known) == 6
    again: list[str] = []
    steps: list[tuple[int, int]] = []

    def noting(task: toy.Task) -> Any:
        again.append(task.key)
        return evaluated(task)

    monkeypatch.setattr(toy, "evaluate", noting)
    found = compute(
        plan=SMALL,
        cache=PointCache(path, known),
        advance=lambda done, total, last: steps.append((done, total)),
    )
    assert steps[0] == (7, 13)
    assert steps[-1] == (13, 13)
    assert len(again) == 7
    assert found.table() == record.table()
    assert found.verdicts == record.verdicts


# --- Files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(record: Toy) -> Figure:
    return FIGURES["toy"].draw(record)


def test_files_hold_every_data_set(record: Toy, drawn: Figure, tmp_path: Path) -> None:
    drawing.save(drawn, record, drawing.targets(tmp_path / "toy.svg", []))
    with (tmp_path / "toy.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["quantity"] for row in rows} == {
        *("kl_target", "kl_noised", "score_error", "discretisation", "prior", "bound")
    }
    circle = [row["quantity"] for row in rows if row["target"] == "circle"]
    assert set(circle) == {"kl_noised"}, "from a law without density it is infinite"
    with np.load(tmp_path / "toy.npz") as saved:
        values, eps = saved["normal_N40_s12_kl_target"], saved["normal_N40_s12_eps"]
        assert values.shape == (4, len(eps))
        assert len(saved["verdict_shape"]) == len(record.verdicts)
        kappa, steps = float(saved["normal_N40_s12_kappa"]), saved["normal_N40_s12_steps"]
    mine = [
        row
        for row in rows
        if (row["target"], row["size"], row["quantity"]) == ("normal", "40", "kl_target")
        and float(row["kappa"]) == kappa
    ]
    assert [float(row["mean"]) for row in mine] == values.mean(axis=0).tolist()
    assert [float(row["standard_error"]) for row in mine] == (
        values.std(axis=0, ddof=1) / 2
    ).tolist()
    assert [int(row["steps"]) for row in mine] == steps.tolist()
    assert {row["data_sets"] for row in mine} == {"4"}
    assert {float(row["horizon"]) for row in mine} == {eps[0]}


def test_the_figure_draws_what_is_in_the_files(record: Toy, drawn: Figure, tmp_path: Path) -> None:
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert [title[:3] for title in titles if title] == [f"({c})" for c in "abcdef"]
    curve = kappa_curve(record.sweeps, "normal", 40, "kl_target", 0.01)
    assert curve is not None
    lines = [line.get_data() for line in drawn.axes[0].get_lines()]
    assert any(len(x) == len(curve.abscissae) and np.array_equal(y, curve.mean) for x, y in lines)
    first, second = (tmp_path / f"{name}.svg" for name in "ab")
    for path in (first, second):
        drawing.save(FIGURES["toy"].draw(record), record, drawing.targets(path, []))
    assert first.read_bytes() == second.read_bytes()


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = (Batch("normal", 40, 2, (8, 5, 4), 4),)
    monkeypatch.setattr(toy, "PLANS", dict.fromkeys(toy.PLANS, tiny))
    assert main(["figure", "toy", "--out", "a.png"]) == 0
    assert "N(0, 1), N = 40: KL(ν‖q̂) against κ" in capsys.readouterr().out
    assert main(["figure", "toy", "--effort", "lazy"]) == 2
    assert main(["figure", "toy", "--jobs", "0"]) == 2
