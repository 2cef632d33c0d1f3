"""The figures on generalisation through variance: numbers against direct calls, and files."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import integrate, stats

from numerics.feature_fits import draw_training_sets
from numerics.feature_training import posterior_means
from numerics.features import fourier_features, gaussian_features
from numerics.proxy_score import relative_variance
from numerics.schedules import schedule_named
from numerics.v_kernel import population_matrices
from proofs_check.cli import main
from proofs_check.errors import UsageError
from proofs_check.figures import (
    FIGURES,
    drawing,
    variance_1,
    variance_2,
    variance_3,
    variance_conditions,
    variance_controls,
    variance_points,
)
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.variance_limit import limit_weights, moments_of
from proofs_check.figures.variance_points import (
    CLEAN,
    EXACT,
    LIMIT,
    NOISY,
    Setting,
    Task,
    evaluate,
    level,
)
from proofs_check.figures.variance_regions import (
    REACH,
    areas,
    discs,
    region_masses,
    true_cells,
    true_masses,
)
from proofs_check.figures.variance_statistics import Mean, growth, judged, mean_of, ratio_of
from proofs_check.verdict import Status

VP = schedule_named("vp-linear")
SMALL = Setting(counts=(5, 4), stop=0.02, size=40)
TINY_2 = variance_2.Plan((1e-3, 1e-2), (64, 256), 3, 300)
TINY_3 = variance_3.Plan(3, 200)
TINY_CONTROLS = variance_conditions.Plan((1e-3, 1e-2), (64, 256), 3, 60, 2, 50)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


@pytest.fixture(scope="module")
def line() -> variance_2.GapMass:
    return variance_2.compute(effort="quick", plan=TINY_2, cache=PointCache(None))


@pytest.fixture(scope="module")
def plane() -> variance_3.Shapes:
    return variance_3.compute(effort="quick", plan=TINY_3, cache=PointCache(None))


@pytest.fixture(scope="module")
def controls() -> variance_controls.Controls:
    return variance_controls.compute(effort="quick", plan=TINY_CONTROLS, cache=PointCache(None))


# --- The limit of many draws ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gaussian", "fourier"])
def test_moments_of_the_functions_of_an_axis_are_their_integrals(kind: str) -> None:
    make = gaussian_features if kind == "gaussian" else fourier_features
    axis = make((4, 3), early_stopping_time=0.01).space[0]
    mean, deviation = 0.7, 0.4
    x = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 20001)
    density = stats.norm.pdf(x, mean, deviation)
    values = axis.values(x)
    found = moments_of(axis, mean, deviation**2)
    first = integrate.trapezoid(density[:, None] * values, x, axis=0)
    products = values[:, :, None] * values[:, None, :]
    second = integrate.trapezoid(density[:, None, None] * products, x, axis=0)
    np.testing.assert_allclose(found[0], first, atol=1e-12)
    np.testing.assert_allclose(found[1], second, atol=1e-12)


@pytest.mark.parametrize("weight", ["signal-to-noise", "one", "signal"])
@pytest.mark.parametrize("kind", ["gaussian", "fourier"])
def test_limit_weights_solve_the_dense_equations(kind: str, weight: Any) -> None:
    make = gaussian_features if kind == "gaussian" else fourier_features
    features = make((3, 4, 3), early_stopping_time=0.05)
    data = np.array([[1.0, 0.2], [-0.5, 0.7], [0.1, -1.0]])
    nodes, shares = np.polynomial.legendre.leggauss(60)
    square, cross = np.zeros((36, 36)), np.zeros((2, 36))
    side = np.linspace(-7, 7, 71)
    noise = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    gauss = np.exp(-0.5 * np.sum(noise**2, axis=1))
    gauss /= gauss.sum()
    # The trapezoidal rule is spectral for normal laws; times by another rule than the function's.
    for node, share in zip(nodes, shares, strict=True):
        t = 0.05 + 0.475 * (node + 1)
        mu, variance = float(VP.mu(t)), float(VP.sigma2(t))
        factor = {"signal-to-noise": mu**2 / variance, "one": 1.0, "signal": mu**2}[weight]
        for point in data:
            values = features.evaluate(mu * point + math.sqrt(variance) * noise, t)
            part = 0.5 * share * factor / 3 * gauss[:, None] * values
            square += part.T @ values
            cross += np.outer(point, part.sum(axis=0))
    expected = np.linalg.solve(square + 0.1 * np.eye(36), cross.T).T
    found = limit_weights(features, data, VP, early_stopping_time=0.05, weight=weight)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.abs(expected).max())


@pytest.mark.parametrize("kind", ["gaussian", "fourier"])
def test_limit_weights_are_those_of_the_population_matrices(kind: str) -> None:
    make = gaussian_features if kind == "gaussian" else fourier_features
    features = make((8, 8), early_stopping_time=1e-3)
    data = Setting().data
    found = limit_weights(features, data, VP, early_stopping_time=1e-3)
    matrices = population_matrices(features, data, VP, early_stopping_time=1e-3, ridge=0.1)
    expected = matrices.weights
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


# --- Regions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("atoms", ["line", "circle"])
def test_true_masses_are_those_of_draws(atoms: str) -> None:
    data = Setting(atoms, 0.125).data
    mu, sigma, draws = 0.9, 0.35, 400_000
    rng = np.random.default_rng(7)
    clean = data[rng.integers(len(data), size=draws)]
    samples = mu * clean + sigma * rng.standard_normal(clean.shape)
    found = region_masses(samples[None], data)
    expected = true_masses(data, mu, sigma)
    assert set(found) == set(expected)
    for name, values in found.items():
        # 7 standard errors of a binomial: each alarm is false with probability below 1e-11.
        error = 7 * math.sqrt(expected[name] * (1 - expected[name]) / draws)
        assert 0 < error < 0.01
        assert values[0] == pytest.approx(expected[name], abs=error)
    cells = true_cells(data, mu, sigma, 60)
    assert cells.sum() + expected["outside"] == pytest.approx(1.0, abs=1e-12)


def test_discs_are_disjoint_and_where_they_are_said_to_be() -> None:
    data = Setting("circle", 0.125).data
    for centres, radius in discs(data).values():
        for a, b in itertools.combinations(centres, 2):
            assert np.linalg.norm(a - b) > 2 * radius
    apart = {
        name: np.linalg.norm(centres[:, None] - data[None], axis=2).min(axis=1)
        for name, (centres, _) in discs(data).items()
    }
    np.testing.assert_allclose(apart["mid-edge"], math.sqrt(0.5))
    np.testing.assert_allclose(apart["edge"], 0.5)
    np.testing.assert_allclose(apart["mid-diagonal"], 0.5)
    assert areas(data)["edge"] == pytest.approx(8 * math.pi * 0.15**2)


# --- Statistics -----------------------------------------------------------------------------------


def test_intervals_are_students_and_ratios_jackknifed() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.exponential(size=30), rng.exponential(size=30)
    found = mean_of(x, 0.01)
    expected = stats.ttest_1samp(x, 0.0).confidence_interval(0.99)
    np.testing.assert_allclose([found.low, found.high], expected)
    ratio, error = ratio_of(x, y)
    each = [np.delete(x, i).mean() / np.delete(y, i).mean() for i in range(30)]
    assert ratio == pytest.approx(x.mean() / y.mean())
    assert error == pytest.approx(math.sqrt(29 * np.var(each)))
    assert all(math.isnan(one) for one in ratio_of(x, 0 * y))


def test_what_is_certainly_negative_refutes() -> None:
    up, down, open_ = (Mean(0, 1, low, high) for low, high in ((1, 2), (-2, -1), (-1, 1)))
    assert judged([up, up]) is Status.SUPPORTED
    assert judged([up, open_]) is Status.INCONCLUSIVE
    assert judged([up, open_, down]) is Status.REFUTED
    noise = np.random.default_rng(1).normal(scale=0.01, size=50)
    every, ends = growth("mass", "ε", [[noise, noise + 1, noise + 0.5]], 1e-3)
    assert every.status is Status.REFUTED
    assert every.tally == (1, 1, 0)
    assert ends.status is Status.SUPPORTED, "paired: the noise is the same"


# --- One task -------------------------------------------------------------------------------------


@pytest.mark.parametrize("denoiser", [EXACT, LIMIT, CLEAN, NOISY])
def test_a_task_is_what_plain_loops_find(denoiser: str) -> None:
    task = Task(SMALL, denoiser, (7,), 3, 400, 5, maps=True)
    found = evaluate(task)["7"]
    features, data = SMALL.basis, SMALL.data
    sets = draw_training_sets(data, VP, size=40, models=3, early_stopping_time=0.02, seed=5)
    ends = []
    for k in range(3 if denoiser in (CLEAN, NOISY) else 1):
        points, times = sets.points[k], sets.times[k]
        targets = posterior_means(points, times, data, VP) if denoiser == CLEAN else sets.clean[k]
        phi = features.evaluate(points, times)
        lam = (VP.mu(times) ** 2 / VP.sigma2(times))[:, None]
        square = (lam * phi).T @ phi / 40 + 0.1 * np.eye(features.count)
        weights = np.linalg.solve(square, (lam * phi).T @ targets / 40).T
        if denoiser == LIMIT:
            weights = limit_weights(features, data, VP, early_stopping_time=0.02)
        x = math.sqrt(VP.sigma2(1.0)) * stats.norm.ppf((np.arange(400) + 0.5) / 400)[:, None]
        h = 0.98 / 7
        for step in range(7):
            t = 1 - step * h
            mean = features.evaluate(x, t) @ weights.T
            if denoiser == EXACT:
                mean = posterior_means(x, np.full(400, t), data, VP)
            score = (VP.mu(t) * mean - x) / VP.sigma2(t)
            x = x + h * (VP.beta(t) * x + VP.diffusion(t) * score)
        ends.append(x)
    expected = region_masses(np.array(ends), data)
    assert expected["gap"].max() > 0
    for name, values in expected.items():
        # Rounding may carry one start over an edge, no more.
        np.testing.assert_allclose(found["masses"][name], values, atol=1.01 / 400)
    heights = np.mean([np.histogram(one, 200, (-REACH, REACH))[0] / 400 for one in ends], axis=0)
    assert np.abs(np.array(found["mean"]) - heights).sum() < 0.02
    assert np.sum(found["mean"]) + np.mean(found["masses"]["outside"]) == pytest.approx(1.0)


@pytest.mark.parametrize("atoms", ["line", "circle"])
def test_fits_are_the_same_however_they_are_divided(
    atoms: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = (5, 4) if atoms == "line" else (4, 4, 3)
    setting = Setting(atoms, counts=counts, stop=0.02, size=30)
    task = Task(setting, NOISY, (5,), 5, 80, 1)
    whole = evaluate(task)
    monkeypatch.setattr(variance_points, "_BATCH", 2)
    assert evaluate(task) == whole
    fewer = evaluate(Task(setting, NOISY, (5,), 2, 80, 1))
    for name, values in fewer["5"]["masses"].items():
        assert values == whole["5"]["masses"][name][:2]
    clean = evaluate(Task(setting, CLEAN, (5,), 5, 80, 1))
    assert clean["effective"] == whole["effective"], "the same draws"
    assert clean["5"] != whole["5"]
    exact = evaluate(Task(setting, EXACT, (5,), 5, 80, 1))["5"]["masses"]["outside"]
    assert len(exact) == (1 if atoms == "line" else 5)
    if atoms == "circle":
        near = evaluate(Task(setting, EXACT, (5,), 5, 80, 1))["5"]["masses"]["near"]
        assert len(set(near)) > 1, "each fit has starts of its own"
    assert evaluate(Task(setting, NOISY, (5,), 5, 80, 2)) != whole


# --- Figure 1 -------------------------------------------------------------------------------------


def test_proxy_variance_maps_are_those_of_direct_calls() -> None:
    record = variance_1.compute(effort="quick")
    hexagon = record.panels()[:5]
    expected = [0.10009, 0.23208, 0.32578, 0.27239, 0.16365]
    np.testing.assert_allclose([one.mean for one in hexagon], expected, atol=6e-6)
    x, y = record.line[13], record.line[70]
    i, j = list(variance_1.SETS).index("corner"), variance_1.TIMES.index(0.2)
    points = variance_1.SETS["corner"]
    direct = relative_variance([[x, y]], points, mu=math.sqrt(0.8), sigma=math.sqrt(0.2))
    assert record.maps[i, j, 13, 70] == pytest.approx(direct[0], rel=1e-12)
    assert record.maps.min() >= 0.0
    assert record.maps.max() <= 1.0
    assert "0.32578 (t=0.2)" in record.summary()[0]
    head, rows = record.table()
    assert len(head) == 4
    assert len(rows) == 20


# --- Figures 2 and 3 ------------------------------------------------------------------------------


def test_maps_of_the_line_are_probabilities(line: variance_2.GapMass) -> None:
    held = line.arrays()
    total = held["mean"].sum(axis=-1) + held["outside"].mean(axis=-1)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    np.testing.assert_allclose(held["true"].sum(axis=-1), 1.0, atol=1e-12)
    np.testing.assert_allclose(held["exact_30"].sum(axis=-1), 1.0, atol=1e-12)
    assert np.all(held["low"] <= held["high"])
    row = line.row(NOISY, 1e-2, "gap", size=64, steps=30)
    assert row.value == pytest.approx(held["gap"][1, 0].mean())
    assert row.error == pytest.approx(held["gap"][1, 0].std(ddof=1) / math.sqrt(3))
    assert row.ratio == 4.0
    true = line.row(variance_2.TRUE, 1e-2, "gap")
    assert true.value == pytest.approx(true_masses(Setting().data, *level(1e-2))["gap"])
    task = variance_2.fit_task(TINY_2, 1e-2, 64, 0)
    assert evaluate(task)["30"]["masses"]["gap"] == held["gap"][1, 0].tolist()


def test_more_steps_leave_less_of_the_exact_score_in_the_gap(line: variance_2.GapMass) -> None:
    for stop in TINY_2.stops:
        few, many = (line.row(EXACT, stop, "gap", steps=n).value for n in (30, 300))
        assert few > 0.01
        assert many < 0.002


def test_maps_of_the_plane_are_probabilities(plane: variance_3.Shapes) -> None:
    held = plane.arrays()
    assert held["maps"].shape == (3, 2, 200, 200)
    total = held["maps"].sum(axis=(-1, -2)) + held["mass_outside"].mean(axis=-1)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    ratio = plane.row("fourier", 0.25, "mid-edge / mid-diagonal")
    up, down = (held[f"mass_{name}"][2, 1] for name in ("mid-edge", "mid-diagonal"))
    assert ratio.value == pytest.approx(up.sum() / down.sum())
    density = plane.row("gaussian", 0.0, "edge density")
    area = 8 * math.pi * 0.15**2
    assert density.value == pytest.approx(held["mass_edge"][0, 0].mean() / area)
    assert plane.row(EXACT, 0.0, "near mass").value > plane.row("fourier", 0.0, "near mass").value
    near = plane.row(variance_3.TRUE, 0.125, "near mass").value
    sigma = level(1e-2)[1]
    assert near == pytest.approx(1 - math.exp(-0.5 * (0.2 / sigma) ** 2), abs=5e-4)


# --- Controls -------------------------------------------------------------------------------------


def test_parts_add_up_and_are_what_they_are_called(controls: variance_controls.Controls) -> None:
    sums: dict[tuple[object, ...], float] = {}
    for row in controls.rows:
        place = (row.sweep, row.turn, row.features, row.weight, row.ridge, row.stop, row.size,
                 row.steps, row.region)  # fmt: skip
        sign = -1 if row.part == "total" else 1
        sums[place] = sums.get(place, 0.0) + sign * row.value
        assert row.low <= row.value <= row.high
    assert max(map(abs, sums.values())) < 1e-12
    one = controls.conditions("grid")[-1]
    assert (one.setting.stop, one.setting.size) == (1e-2, 256)
    noisy, clean, limit, exact = (
        np.array(evaluate(one.task(name, TINY_CONTROLS, 0))["300"]["masses"]["gap"])
        for name in (NOISY, CLEAN, LIMIT, EXACT)
    )
    parts = controls.parts(one, 300, "gap")
    np.testing.assert_array_equal(parts["noise"], noisy - clean)
    np.testing.assert_array_equal(parts["design"], clean - limit)
    np.testing.assert_array_equal(parts["misfit"], limit - exact)
    true = true_masses(one.setting.data, *level(1e-2))["gap"]
    np.testing.assert_array_equal(parts["discretisation"], exact - true)
    assert len(noisy) == 3
    assert len(limit) == len(exact) == 1


def test_findings_share_one_probability_of_error(controls: variance_controls.Controls) -> None:
    intervals = sum(len(one.numbers) for one in controls.findings)
    assert intervals == 2 * 4 * (2 * 3 + 2)
    first = controls.findings[0]
    at = {(c.setting.stop, c.setting.size): c for c in controls.conditions("grid")}
    low, high = (controls.parts(at[stop, 256], 30, "gap")["total"] for stop in (1e-3, 1e-2))
    expected = mean_of(high - low, 1e-3 / intervals)
    assert first.numbers[0] == expected
    assert first.series == "30 steps, gap mass"
    assert len(controls.findings) == 2 * (3 * 4 + 2)
    assert str(first) in controls.summary()
    last = controls.summary()[-1]
    assert last.startswith("gap mass is larger at the largest F/P than at the least: ")
    assert last.endswith("for that part at 300 steps")
    statuses = controls.arrays()["finding_status"]
    assert set(statuses.tolist()) <= {"supported", "refuted", "inconclusive"}


def test_every_control_is_there(controls: variance_controls.Controls) -> None:
    sweeps = {(row.sweep, row.steps) for row in controls.rows}
    assert {("steps", n) for n in (30, 100, 300, 1000)} <= sweeps
    assert {row.ridge for row in controls.rows if row.sweep == "ridge"} == set(
        variance_conditions.RIDGES
    )
    sizes = {row.weight: row.effective for row in controls.rows if row.sweep == "weight"}
    assert sizes["one"] == 256
    assert sizes["signal-to-noise"] < sizes["signal"] < 256
    features = {row.features for row in controls.rows if row.sweep == "plane"}
    assert features == {"gaussian", "fourier", "fourier-distinct"}


# --- Cache, files and commands --------------------------------------------------------------------


def test_finished_points_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = open_cache("variance-2")
    seen: list[tuple[int, int]] = []
    first = variance_2.compute(
        effort="quick", plan=TINY_2, cache=kept, advance=lambda i, n, _: seen.append((i, n))
    )
    assert seen == [(i + 1, 6) for i in range(6)]
    monkeypatch.setattr(variance_2, "evaluate", lambda task: pytest.fail(f"{task} is cached"))
    second = variance_2.compute(effort="quick", plan=TINY_2, cache=open_cache("variance-2"))
    assert second.summary() == first.summary()


@pytest.mark.parametrize("name", ["variance-1", "variance-2", "variance-3", "variance-controls"])
def test_files_hold_what_is_drawn(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    fixture = {"variance-2": "line", "variance-3": "plane", "variance-controls": "controls"}
    record = (
        variance_1.compute(effort="quick")
        if name == "variance-1"
        else request.getfixturevalue(fixture[name])
    )
    figure = FIGURES[name].draw(record)
    _no_text_on_other_text(figure)
    drawing.save(figure, record, drawing.targets(tmp_path / "one.png", []))
    again = drawing.targets(tmp_path / "two.png", [])
    for path in drawing.save(FIGURES[name].draw(record), record, again):
        assert path.read_bytes() == (tmp_path / f"one{path.suffix}").read_bytes()
    with (tmp_path / "one.csv").open() as file:
        rows = list(csv.DictReader(file))
    head, expected = record.table()
    assert list(rows[0]) == list(head)
    assert len(rows) == len(expected)
    with np.load(tmp_path / "one.npz") as saved:
        for key, values in record.arrays().items():
            np.testing.assert_array_equal(saved[key], values)


def _no_text_on_other_text(figure: Figure) -> None:
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [legend.get_window_extent(renderer) for legend in figure.legends]
    boxes += [text.get_window_extent(renderer) for text in figure.texts]
    for axes in figure.axes:
        title = axes._left_title  # type: ignore[attr-defined]
        if title.get_text():
            boxes.append(title.get_window_extent(renderer))
        boxes += [text.get_window_extent(renderer) for text in axes.texts]
        boxes += [
            label.get_window_extent(renderer)
            for label in axes.get_xticklabels()
            if label.get_text()
            and axes.get_xlim()[0] <= label.get_position()[0] <= axes.get_xlim()[1]
        ]
    for i, box in enumerate(boxes):
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
        for other in boxes[:i]:
            assert not box.overlaps(other), (box, other)


@pytest.mark.parametrize(
    ("name", "module", "plan"),
    [
        ("variance-2", variance_2, TINY_2),
        ("variance-3", variance_3, TINY_3),
        ("variance-controls", variance_controls, TINY_CONTROLS),
    ],
)
def test_the_command_draws_it(
    name: str,
    module: Any,
    plan: Any,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fixture = {"variance-2": "line", "variance-3": "plane", "variance-controls": "controls"}[name]
    record = request.getfixturevalue(fixture)
    monkeypatch.setattr(module, "PLANS", dict.fromkeys(module.PLANS, plan))
    monkeypatch.setattr(module, "open_cache", lambda _: PointCache(None, dict(record.found)))
    assert main(["figure", name, "--out", "a.svg"]) == 0
    assert {"a.svg", "a.npz", "a.csv"} <= {path.name for path in tmp_path.iterdir()}
    said = capsys.readouterr().out
    assert all(text in said for text in record.summary())


def test_the_command_draws_figure_1(tmp_path: Path) -> None:
    assert main(["figure", "variance-1", "--effort", "quick", "--out", "a.png"]) == 0
    assert {path.name for path in tmp_path.iterdir()} >= {"a.png", "a.npz", "a.csv"}


@pytest.mark.parametrize("module", [variance_1, variance_2, variance_3, variance_controls])
@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"seed": -1}, "seed=-1"), ({"jobs": 0}, "jobs=0"), ({"effort": "lazy"}, "unknown effort")],
)
def test_what_is_refused(module: Any, arguments: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        module.compute(**arguments)
