"""The figure ``samplers``: its numbers against direct calls, what it says, its cache and files."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.density import empirical_score_line, kl_divergence, moments, transport_density
from numerics.gaussian_samplers import METHODS, SCORES, gaussian_sampler_losses
from numerics.sampler_times import two_phase_times
from proofs_check.cli import main
from proofs_check.errors import UsageError
from proofs_check.figures import FIGURES, cache, drawing, samplers
from proofs_check.figures.cache import PointCache
from proofs_check.figures.samplers import (
    SIZE,
    STOP,
    Plan,
    Samplers,
    cells,
    compute,
    least_methods,
    slack_of,
)
from proofs_check.figures.samplers_points import (
    EXACT,
    Row,
    Task,
    data_of,
    evaluate,
    exact_divergence,
    rows_of,
    step_size,
    times_of,
)

SMALL = Plan(
    kappas=(0.03, 0.1, 0.3, 0.8),
    map_kappas=(0.05, 0.2, 0.8),
    map_variances=(0.25, 4.0),
    sizes=(40, 100, 200, 400),
    size_kappas=tuple(float(x) for x in np.geomspace(0.002, 0.8, 30)),
    stops=(0.1,),
    point_kappas=(0.25, 0.8),
    data_sets=3,
)
TINY = Plan((0.3, 0.8), (0.3, 0.8), (0.5, 2.0), (10,), (0.3, 0.8), (0.1,), (0.8,), 2)
# Heun's flow folds the line here at the longer steps, and tears the gaps at the shorter ones.
REFUSED = Task(
    "transport", "mixture", 2.5, "points", SIZE, 0.004, (4, 20), METHODS,
    ("divergence", "variance_ratio"),
)  # fmt: skip


@pytest.fixture(scope="module")
def record() -> Samplers:
    return compute(effort="quick", plan=SMALL, cache=PointCache(None))


@pytest.fixture(scope="module")
def drawn(record: Samplers) -> Figure:
    return FIGURES["samplers"].draw(record)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("method", METHODS)
def test_closed_forms_are_those_of_direct_calls(record: Samplers, score: str, method: str) -> None:
    divergences = record.curve("kappa", score, method, "divergence", variance=4.0)
    ratios = record.curve("kappa", score, method, "variance_ratio", variance=4.0)
    assert len(divergences) == len(SMALL.kappas)
    row, ratio = divergences[1], ratios[1]
    assert (1 + row.kappa) ** -row.geometric_steps == pytest.approx(STOP, rel=1e-12)
    times = two_phase_times(row.kappa, row.uniform_steps, row.geometric_steps)
    losses = gaussian_sampler_losses(
        times, variance=4.0, dimension=1, size=SIZE, score=score, method=method
    )
    assert row.value == losses.divergence.value
    target = 1 + 3 * math.exp(-2 * STOP)
    assert ratio.value == pytest.approx(losses.output_variance.value / target, rel=1e-12)
    if losses.bound is not None and losses.path_divergence is not None:
        (_, bound, *_) = record.curve("kappa", score, method, "bound", variance=4.0)
        (_, path, *_) = record.curve("kappa", score, method, "path_divergence", variance=4.0)
        assert (bound.value, path.value) == (losses.bound.value, losses.path_divergence.value)


def test_the_exact_sampler_is_the_limit_of_small_steps() -> None:
    for variance in (0.25, 4.0):
        for score in SCORES:
            # From so far that the start is forgotten by the flow too.
            times = two_phase_times(step_size(400, STOP), 1000, 400)
            limit = gaussian_sampler_losses(
                times, variance=variance, dimension=1, size=SIZE, score=score, method="flow-heun"
            )
            exact = exact_divergence(variance, score, SIZE, STOP)
            assert exact == pytest.approx(limit.divergence.value, rel=1e-4, abs=1e-9)


def test_the_terms_add_up_to_the_bounds(record: Samplers) -> None:
    for score in SCORES:

        def values(name: str, score: str = score) -> np.ndarray:
            rows = record.curve("kappa", score, "exponential", name, variance=1.0)
            return np.array([row.value for row in rows])

        error, change = values("score_error"), values("discretisation_error")
        sharper = values("prior_divergence") + error + change
        fisher = [float(np.sum(times_of(m, STOP).steps ** 3)) for m in (156, 48, 18, 8)]
        np.testing.assert_allclose(values("step_fisher"), fisher, rtol=1e-12)  # J = 1 for s² = 1
        sharper += np.sqrt(error * values("step_fisher"))
        np.testing.assert_allclose(values("sharper_bound"), sharper, rtol=1e-12)
        chain = [values(name) for name in ("divergence", *samplers.BOUNDS)]
        for lower, upper in itertools.pairwise(chain):
            assert np.all(lower <= upper * (1 + 1e-12))


def test_for_the_true_score_all_slack_is_data_processing(record: Samplers) -> None:
    one = slack_of(record, 4.0, "true")
    assert one.share == pytest.approx(1.0)
    assert one.data_processing > 1000
    assert slack_of(record, 4.0, "plug-in").share == pytest.approx(0.87, abs=0.05)


def test_transported_means_are_those_of_direct_calls(record: Samplers) -> None:
    for method in ("euler-maruyama", "flow-euler"):
        where = {"stop": 0.1, "law": "normal"}
        row = record.curve("transport", "points", method, "divergence", **where)[-1]
        found, spreads = [], []
        for data_set in range(SMALL.data_sets):
            data = data_of("normal", SIZE, data_set, 0)
            score, derivative = empirical_score_line(data)
            run = transport_density(
                score, times_of(row.geometric_steps, 0.1), method=method,
                score_derivative=derivative,
            )  # fmt: skip
            found.append(
                kl_divergence(lambda x: -0.5 * (x**2 + math.log(2 * math.pi)), run.final).value
            )
            spreads.append(moments(run.final).variance)
        assert row.value == pytest.approx(np.mean(found), rel=1e-5)
        assert row.error == pytest.approx(np.std(found, ddof=1) / math.sqrt(3), rel=1e-4)
        ratio = record.curve("transport", "points", method, "variance_ratio", **where)[-1]
        assert ratio.value == pytest.approx(np.mean(spreads), rel=1e-5)
        gain = record.curve("transport", "points", method, "gain", **where)[-1]
        exact = record.exact("transport", "points", **where)
        assert gain.value == pytest.approx(exact - row.value)


def test_a_refused_transport_is_no_number_and_its_reason_is_counted() -> None:
    found = evaluate(REFUSED)
    reasons = {(m, method): reason for m, method, _, _, _, reason in found if reason}
    assert {(4, "flow-heun"): "folds", (20, "flow-heun"): "tears"}.items() <= reasons.items()
    rows = list(rows_of([REFUSED], {REFUSED.key: found}))
    (row,) = (
        r
        for r in rows
        if (r.method, r.geometric_steps, r.quantity) == ("flow-heun", 4, "divergence")
    )
    assert math.isnan(row.value)
    assert (row.refused, row.sets, row.reasons) == (1, 1, "1 folds")
    (gain,) = (
        r
        for r in rows
        if (r.method, r.geometric_steps, r.quantity) == ("euler-maruyama", 4, "gain")
    )
    assert gain.value > 0
    said = Samplers(tuple(rows), "quick", 0)
    assert least_methods([row]) == ()
    lines = list(samplers._transport_lines(said))
    assert any("flow-heun at κ=2.98 refused for 1 of 1 data sets (1 folds)" in x for x in lines)


def test_another_seed_gives_other_data_sets_only() -> None:
    one, other = (
        compute(effort="quick", plan=TINY, seed=seed, cache=PointCache(None)) for seed in (0, 1)
    )
    for mine, theirs in zip(one.rows, other.rows, strict=True):
        assert (repr(mine) == repr(theirs)) == (mine.part != "transport")


# --- What it says ---------------------------------------------------------------------------------


def test_which_sampler_regularises_most(record: Samplers) -> None:
    lines = record.summary()
    assert "a  s²=4, plug-in score: least KL exponential (κ 0.03–0.292)" in "\n".join(lines)
    assert any(x.startswith("b  s²=4, true score: least V/v_ε flow-euler (κ") for x in lines)
    flat = next(x for x in lines if x.startswith("a  s²=1, true score"))
    assert "least KL flow-euler = flow-exponential = flow-heun (κ" in flat, "they are exact there"
    grid = {(round(c.kappa, 2), c.variance): c for c in cells(record)}
    assert grid[0.2, 4.0].method == "exponential"
    assert grid[0.2, 4.0].ratio == 1
    assert grid[0.2, 0.25].method == "flow-euler"
    for score in ("mean", "plug-in"):
        for method in METHODS[:2]:
            best = record.optimum("kappa", score, "divergence", method, variance=1.0)
            assert best.value < record.exact("kappa", score, variance=1.0)


def test_the_best_step_size_falls_like_one_over_n(record: Samplers) -> None:
    for score in ("mean", "plug-in"):
        power = record.exponent(score)
        assert power is not None
        assert abs(power.value + 1) < 0.15
    for one in record.optima:
        assert one.low < one.kappa < one.high
        assert (one.low == 0) == (one.quantity != "divergence"), "bounds increase with κ"
    at_40 = next(o for o in record.optima if (o.score, o.size) == ("plug-in", 40))
    assert 0.2 < at_40.kappa < 0.35
    text = "\n".join(record.summary())
    assert "e  s²=4, plug-in score, N=40: KL is least at κ* = 0.2" in text
    assert "(the least tried)" in text
    assert "theory −1" in text


# --- Cache and files ------------------------------------------------------------------------------


def test_finished_points_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = cache.open_cache("samplers")
    seen: list[tuple[int, int]] = []
    first = compute(
        effort="quick", plan=TINY, cache=kept, advance=lambda i, n, _: seen.append((i, n))
    )
    assert seen == [(i + 1, len(seen)) for i in range(len(seen))]
    monkeypatch.setattr(samplers, "evaluate", lambda task: pytest.fail(f"{task} is cached"))
    second = compute(effort="quick", plan=TINY, cache=cache.open_cache("samplers"))
    assert repr(second.rows) == repr(first.rows)
    assert second.summary() == first.summary()


def test_files_hold_what_is_drawn(record: Samplers, drawn: Figure, tmp_path: Path) -> None:
    where = drawing.targets(tmp_path / "samplers.png", ["svg"])
    drawing.save(drawn, record, where)
    with np.load(tmp_path / "samplers.npz") as saved:
        mine = (saved["part"] == "kappa") & (saved["variance"] == 4) & (saved["score"] == "plug-in")
        mine &= (saved["method"] == "flow-euler") & (saved["quantity"] == "divergence")
        across, up = saved["kappa"][mine], saved["value"][mine]
        assert len(saved["optimum_kappa"]) == len(record.optima)
        with (tmp_path / "samplers.csv").open() as file:
            rows = list(csv.DictReader(file))
        np.testing.assert_array_equal([float(row["value"]) for row in rows], saved["value"])
    assert len(rows) == len(record.rows)
    assert list(rows[0]) == list(Row.__dataclass_fields__)
    titles = [axes.get_title(loc="left") for axes in drawn.axes]
    assert sum(title.startswith("(") for title in titles) == 6
    axes = next(a for a, title in zip(drawn.axes, titles, strict=True) if "variance" in title)
    line = next(x for x in axes.get_lines() if x.get_label() == "_flow-euler")
    np.testing.assert_array_equal(line.get_xdata(), across)
    np.testing.assert_allclose(
        np.asarray(line.get_ydata(), dtype=float),
        up / record.exact("kappa", "plug-in", variance=4.0),
    )
    again = drawing.targets(tmp_path / "again.svg", [])
    for path in drawing.save(FIGURES["samplers"].draw(record), record, again):
        other = tmp_path / f"samplers{path.suffix}"
        assert path.read_bytes() == other.read_bytes()


def test_no_text_lies_on_other_text(drawn: Figure) -> None:
    renderer = drawn.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [drawn.legends[0].get_window_extent(renderer)]
    boxes += [text.get_window_extent(renderer) for text in drawn.texts]
    axes: list[Axes] = drawn.axes
    boxes += [one._left_title.get_window_extent(renderer) for one in axes]  # type: ignore[attr-defined]
    boxes += [one.xaxis.label.get_window_extent(renderer) for one in axes]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert box.x1 <= drawn.bbox.x1
    for one in axes:
        notes = [text.get_window_extent(renderer) for text in one.texts if text.get_text()]
        legend = one.get_legend()
        if legend is not None:
            assert not any(legend.get_window_extent(renderer).overlaps(note) for note in notes)


def test_the_command_draws_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(samplers, "PLANS", dict.fromkeys(samplers.PLANS, TINY))
    assert main(["figure", "samplers", "--out", "a.svg"]) == 0
    made = {path.name for path in tmp_path.iterdir()} - {".scorecert"}
    assert made == {"a.svg", "a.npz", "a.csv"}
    said = capsys.readouterr().out
    assert "d  s²=4, true score" in said
    assert "written: a.svg, a.npz, a.csv" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"seed": -1}, "seed=-1"), ({"jobs": 0}, "jobs=0"), ({"effort": "lazy"}, "unknown effort")],
)
def test_what_is_refused(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        compute(**arguments)  # type: ignore[arg-type]


def test_exact_has_no_steps(record: Samplers) -> None:
    for row in record.rows:
        assert (row.method == EXACT) == (row.kappa == 0) == (row.geometric_steps == 0)
