"""The figure ``optimisation``: its numbers against direct calls, verdicts, its cache and files."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from numerics.chain_models import TwoWells
from numerics.chains import run_pairs
from numerics.noise_levels import NoiseLevels
from numerics.score_changes import score_changes
from proofs_check.cli import main
from proofs_check.errors import UsageError
from proofs_check.figures import FIGURES, drawing, optimisation
from proofs_check.figures.cache import PointCache
from proofs_check.figures.optimisation import COUPLINGS, Optimisation, Plan, compute
from proofs_check.figures.optimisation_points import (
    CLOSE,
    BoundTask,
    ChainTask,
    MinibatchTask,
    RateTask,
    Setting,
    bound_at,
    changes_of,
    crossing,
    evaluate,
    gradient_variance,
    steps_of,
    trivial_bound,
)
from proofs_check.figures.optimisation_verdicts import (
    FLAT,
    GROWS,
    IS_FLAT,
    NO,
    ROOT,
    UNDECIDED,
    YES,
    Interval,
    Moments,
    judged_size,
    judged_steps,
    ratio,
    slope_in_size,
    slope_in_steps,
)
from proofs_check.measurement import measure, sides
from proofs_check.point import at_time
from theory import claims

TINY = Plan(
    sizes=(10, 40),
    doublings=4,
    pairs=96,
    effects={"P": ("1", "2"), "B": ("1", "4"), "C": ("1",), "lambda": ("1", "2")},
    effect_pairs=32,
    paths=3,
    batches=(1, 20),
    data_sets=3,
    chains=64,
    exponents={"1/10": (1.0, 2.5)},
)
SMALLEST = replace(
    TINY,
    effects={"P": ("2",), "B": ("4",), "C": ("1",), "lambda": ("1",)},
    batches=(20,),
    exponents={"1/10": (2.5,)},
)


@pytest.fixture(scope="module")
def record() -> Optimisation:
    return compute(plan=TINY, cache=PointCache(None))


@pytest.fixture(scope="module")
def drawn(record: Optimisation) -> Figure:
    return FIGURES["optimisation"].draw(record)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["proposition-11", "proposition-11-saturated", "proposition-14"])
def test_bounds_are_those_of_the_claims(record: Optimisation, name: str) -> None:
    (row,) = record.of("steps", name, size=40, steps=4)
    point = at_time("two-wells-sgd", "3/10", N=40, K=4, s="1/2", noise=2)
    claim = claims.get(f"farghly2026.{name}")
    names = ("score_sensitivity", "parameter_radius", "gradient_lipschitz", "saturated_distance")
    numbers = measure(point, (*names, "contraction_rate", "f_diameter"))
    _, right, _ = sides(claim, point, numbers)
    assert right is not None
    assert row.value == right.value
    (trivial,) = record.of("steps", "trivial", size=40, steps=4)
    assert trivial.value == pytest.approx(4 * numbers["score_sensitivity"].value)


def test_per_sample_bounds_do_not_know_the_batch(record: Optimisation) -> None:
    values = [row.value for row in record.of("effects", "proposition-14-per-sample")]
    assert len(values) == 2
    assert values[0] == pytest.approx(values[1], rel=1e-9)
    whole = [row.value for row in record.of("effects", "proposition-14", variable="B")]
    assert whole[1] == pytest.approx(4 * whole[0], rel=1e-9)
    assert whole[0] == pytest.approx(values[0], rel=1e-9)


def test_no_certified_contraction_is_no_bound() -> None:
    quiet = Setting(size=20, noise="1/2")
    assert bound_at("proposition-14", quiet, 5) is None
    found = RateTask(quiet).found()
    assert (found["low"], found["high"], found["crossing"]) == (None, None, None)
    assert found["eberle"] > 0


def test_where_bounds_cross() -> None:
    setting = Setting(size=1000)
    limit = 0.01
    at = crossing("proposition-11", setting, limit)
    assert at is not None
    before, here = (bound_at("proposition-11", setting, k) for k in (at - 1, at))
    assert before is not None
    assert here is not None
    assert before <= limit < here
    assert crossing("proposition-11-saturated", setting, 2 * trivial_bound(setting)) is None


@pytest.mark.parametrize("last", [1, 2, 3, 17, 64, 2048])
def test_windows_end_with_their_step(last: int) -> None:
    for most in (1, 7, 64):
        steps = steps_of(last, most)
        assert steps[-1] == last
        assert steps[0] > last // 2
        assert len(set(steps)) == len(steps) == min(most, last - last // 2)
        gaps = {b - a for a, b in itertools.pairwise(steps)}
        assert not gaps or max(gaps) - min(gaps) <= 1


def test_close_pairs_count_with_the_most_that_they_can() -> None:
    """Against the quadrature without a threshold, on chains of which many are close."""
    setting = Setting(size=10)
    task = ChainTask(setting, "synchronous", (16,), 0, 32, 3)
    moments = Moments.of_sums([evaluate(task)])
    mu = math.exp(-0.3)
    levels = NoiseLevels([mu], [math.sqrt(1 - mu * mu)], [1.0])
    run = run_pairs(
        TwoWells(0.25), optimisation_law(), levels, size=10, batch=1, steps=40, step_size=0.1,
        weight_decay=1.0, clip=1.0, noise=2.0, projection_radius=1.0, start=[0.0], pairs=64,
        record=[10, 20, 40], rng=0,
    )  # fmt: skip
    close = (run.distance > 0) & (run.distance < CLOSE)
    assert np.any(run.distance >= CLOSE)
    plain = score_changes(run, TwoWells(0.25), levels).values
    found = changes_of(run, setting)
    np.testing.assert_allclose(found[~close], plain[~close], rtol=1e-12)
    assert np.all(found[close] >= plain[close])
    assert np.all(found[close] <= 2.3 * CLOSE**2)
    assert 0 < moments.mean[0] < trivial_bound(setting)


def optimisation_law() -> Any:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return rng.choice([-1.5, -0.5, 0.5, 1.5], size=(*shape, 1))

    return draw


def test_chunks_put_together_are_the_whole() -> None:
    whole = ChainTask(Setting(size=10), "reflection-maximal", (4, 16), 0, 96, 1)
    parts = [replace(whole, first=first, pairs=32) for first in (0, 32, 64)]
    one, other = Moments.of_sums([evaluate(whole)]), Moments.of_sums([evaluate(p) for p in parts])
    assert one.count == other.count == 96
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-9, atol=1e-18)
    another = evaluate(replace(whole, seed=2))
    assert another["sums"] != evaluate(whole)["sums"]


def test_measured_are_below_the_bounds(record: Optimisation) -> None:
    for panel, coupling, names in (
        ("steps", COUPLINGS[0], ("proposition-11", "proposition-11-saturated", "trivial")),
        ("steps", COUPLINGS[1], ("proposition-14", "trivial")),
    ):
        for size in TINY.sizes:
            measured = record.of(panel, coupling, size=size)
            assert len(measured) == 5
            for name in names:
                for row, bound in zip(measured, record.of(panel, name, size=size), strict=True):
                    assert row.value <= bound.value


def test_matched_quantiles_are_no_worse_than_the_coupling() -> None:
    task = MinibatchTask(Setting(size=20, step_size="1/2"), "1/2", 32, 4, 64, 0)
    found = evaluate(task)
    # The synchronous coupling matches each chain with one other too.
    for matched, coupled in zip(found["infimum"], found["synchronous"], strict=True):
        assert matched <= coupled * (1 + 1e-9) + 3 * CLOSE**2
    assert found["noise"] == str(
        optimisation.Fraction(math.floor(100 * math.sqrt(np.mean(found["variance"]))), 100)
    )


def test_the_variance_of_a_clipped_gradient() -> None:
    """Point by point with C small all gradients are ±C, and a batch's mean varies like 1/B."""
    data = np.array([-1.5, -0.5, 0.5, 1.5] * 25)
    theta = np.full(4000, 0.7)
    small = Setting(size=100, clip="1/1000", clipping="per-sample")
    one, nine = (
        gradient_variance(theta, data, replace(small, batch=b), np.random.default_rng(b))
        for b in (1, 9)
    )
    assert one < 1e-6
    assert one / nine == pytest.approx(9 * 99 / 91, rel=0.25)
    whole = replace(small, clip="100", batch=100, redraws=50, clipping="whole")
    assert gradient_variance(theta[:50], data, whole, np.random.default_rng(0)) < 0.01


# --- Verdicts -------------------------------------------------------------------------------------


def test_verdicts_of_intervals() -> None:
    assert judged_steps(-FLAT, FLAT) == IS_FLAT
    assert judged_steps(-0.2, 0.05) == UNDECIDED
    assert judged_steps(0.05, 0.2) == UNDECIDED
    assert judged_steps(0.11, 5.0) == GROWS
    assert judged_steps(-5.0, -0.2) == UNDECIDED, "falling is neither"
    assert judged_size(-0.6, ROOT) == UNDECIDED
    assert judged_size(-0.6, -0.41) == YES
    assert judged_size(-0.39, 0.0) == NO


def _moments(mean: Sequence[float], relative: float, count: int = 1000) -> Moments:
    values = np.array(mean)
    return Moments(count, values, np.diag((relative * values) ** 2))


@pytest.mark.parametrize(
    ("mean", "relative", "verdict"),
    [
        ([9, 9, 2, 2, 2, 2], 0.01, IS_FLAT),
        ([1, 1, 2, 4, 8, 16], 0.01, GROWS),
        ([1, 1, 2, 2, 2, 2], 0.2, UNDECIDED),
        ([1, 1, 2, 2, 2, 0], 0.01, UNDECIDED),
    ],
)
def test_exponents_of_steps(mean: list[float], relative: float, verdict: str) -> None:
    slope = slope_in_steps("synchronous", 20, (1, 2, 4, 8, 16, 32), _moments(mean, relative))
    assert slope.verdict == verdict
    if verdict == GROWS:
        assert slope.value == pytest.approx(1.0)
    if 0 in mean:
        assert math.isnan(slope.value)


def test_exponents_of_steps_know_what_windows_share() -> None:
    """Numbers that rise and fall together leave the exponent as it is."""
    mean = np.full(4, 2.0)
    together = Moments(50, mean, np.full((4, 4), 0.5))
    alone = Moments(50, mean, 0.5 * np.eye(4))
    windows = (1, 2, 4, 8)
    assert slope_in_steps("synchronous", 20, windows, together).verdict == IS_FLAT
    assert slope_in_steps("synchronous", 20, windows, alone).verdict == UNDECIDED


def test_exponents_of_sizes() -> None:
    for power, relative, verdict in ((-1, 0.01, YES), (-0.3, 0.01, NO), (-1, 0.9, UNDECIDED)):
        known = {n: _moments([5.0, n**power], relative) for n in (20, 50, 200)}
        slope = slope_in_size("synchronous", known)
        assert slope.value == pytest.approx(power / 2)
        assert slope.verdict == verdict
    assert slope_in_size("synchronous", {20: _moments([0.0], 0.1)}).verdict == UNDECIDED


def test_intervals_cover() -> None:
    """Of 500 exponents of pairs with one exponent, at 99.9 % at most 8 miss but for 1e-7."""
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(500):
        common = rng.exponential(size=(200, 1))
        values = common * rng.exponential(size=(200, 4)) * np.array([1.0, 2.0, 4.0, 8.0])
        part = {
            "pairs": 200,
            "sums": values.sum(axis=0).tolist(),
            "products": (values.T @ values).tolist(),
        }
        slope = slope_in_steps("synchronous", 20, (1, 2, 4, 8), Moments.of_sums([part]))
        missed += not slope.low <= 1.0 <= slope.high
    assert missed <= 8


def test_ratios_and_means() -> None:
    told = ratio(Interval(4.0, 2.0, 8.0), Interval(1.0, 0.5, 2.0))
    assert told.value == 4.0
    assert told.high == pytest.approx(4.0 * 2 ** math.sqrt(2))
    assert Moments.of_values([0.0, 0.0]).interval(0) is None
    one = Moments.of_values([1.0, 2.0, 3.0])
    assert one.mean.tolist() == [2.0]
    assert one.covariance[0, 0] == pytest.approx(1 / 3)


def test_what_is_said(record: Optimisation) -> None:
    lines = record.summary()
    assert "99.9 %" in lines[0]
    assert "asymptotic" in lines[0]
    assert sum("over the last factor of 8" in line for line in lines) == 4
    assert sum("−1/2 or steeper" in line for line in lines) == 2
    minibatch = [line for line in lines if line.startswith("minibatch noise")]
    assert len(minibatch) == 2
    assert "holds, but says less than Λ²(2R)²" in minibatch[0]
    assert "is vacuous" in minibatch[1]


# --- Running again --------------------------------------------------------------------------------


def test_an_interrupted_run_goes_on(
    record: Optimisation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "optimisation.jsonl"
    count = 0

    def stopping(task: Any) -> Any:
        nonlocal count
        count += 1
        if count > 5:
            raise KeyboardInterrupt
        return evaluate(task)

    monkeypatch.setattr(optimisation, "evaluate", stopping)
    with pytest.raises(KeyboardInterrupt):
        compute(plan=TINY, cache=PointCache(path))
    known = dict(json.loads(line) for line in path.read_text().splitlines() if line)
    assert len(known) == 5
    again: list[Any] = []

    def noting(task: Any) -> Any:
        again.append(task.key)
        return evaluate(task)

    monkeypatch.setattr(optimisation, "evaluate", noting)
    found = compute(plan=TINY, cache=PointCache(path, known))
    assert not set(again) & set(list(known)[:5])
    _are_same(found, record)
    everything = dict(json.loads(line) for line in path.read_text().splitlines() if line)
    again.clear()
    _are_same(compute(plan=TINY, cache=PointCache(None, everything)), record)
    assert not again


def test_jobs_change_nothing() -> None:
    one, two = (compute(plan=SMALLEST, jobs=jobs, cache=PointCache(None)) for jobs in (1, 2))
    _are_same(one, two)


def _are_same(one: Optimisation, other: Optimisation) -> None:
    assert one.slopes == other.slopes
    assert one.arrays().keys() == other.arrays().keys()
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, other.arrays()[name])
    assert one.summary() == other.summary()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"effort": "quik"}, "did you mean 'quick'"),
        ({"seed": -1}, "seed=-1"),
        ({"jobs": 0}, "jobs=0"),
    ],
)
def test_what_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compute(**asked)


def test_tasks_of_different_kinds_have_different_keys() -> None:
    setting = Setting(size=20)
    keys = {
        BoundTask(setting, (20,), (1,)).key,
        RateTask(setting).key,
        RateTask(replace(setting, redraws=2)).key,
        ChainTask(setting, "synchronous", (1,), 0, 32, 0).key,
        ChainTask(setting, "reflection-maximal", (1,), 0, 32, 0).key,
    }
    assert len(keys) == 5


# --- Files ----------------------------------------------------------------------------------------


def test_files_hold_what_is_drawn(record: Optimisation, drawn: Figure, tmp_path: Path) -> None:
    drawing.save(drawn, record, drawing.targets(tmp_path / "optimisation.png", []))
    assert (tmp_path / "optimisation.png").stat().st_size > 20_000
    with (tmp_path / "optimisation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(record.rows)
    assert {row["panel"] for row in rows} == {"steps", "effects", "minibatch", "rates"}
    with np.load(tmp_path / "optimisation.npz") as saved:
        assert saved["value"].tolist() == pytest.approx([r.value for r in record.rows], nan_ok=True)
        assert len(saved["slope_verdict"]) == len(record.slopes)
        assert saved["distance_synchronous"].shape == (3, optimisation.PATH_STEPS + 1)
    shown = [axes for axes in drawn.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left")[:3] for axes in shown] == [f"({c})" for c in "abcdefgh"]


def test_the_same_bytes_twice(record: Optimisation, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.svg" for name in "ab"]
    for path in paths:
        drawing.save(FIGURES["optimisation"].draw(record), record, drawing.targets(path, []))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(optimisation, "PLANS", dict.fromkeys(optimisation.PLANS, SMALLEST))
    assert main(["figure", "optimisation", "--out", "a.png"]) == 0
    assert "−1/2 or steeper" in capsys.readouterr().out
    assert main(["figure", "optimisation", "--effort", "lazy"]) == 2
    assert main(["figure", "optimisation", "--jobs", "0"]) == 2
