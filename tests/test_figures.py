"""The figures: their data, their drawing, their files, and what is refused."""

from __future__ import annotations

import csv
import math
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.laws import Circles, Mixture, Sphere
from proofs_check.cli import main
from proofs_check.errors import UsageError
from proofs_check.figures import FIGURES, cache, denoising, drawing
from proofs_check.figures.cache import PointCache
from proofs_check.figures.denoising import Denoising, Plan, compute
from proofs_check.figures.denoising_points import NAN, evaluate
from proofs_check.figures.exchange import exchange_sample
from proofs_check.figures.slopes import fitted_exponent, local_exponents
from proofs_check.measurement import measure
from proofs_check.point import at_time

SMALL = Plan(
    sizes=(2, 64, 128, 256),
    defined_up_to=2,
    draws=1_000_000,
    most=10_000,
    sigmas=(0.0015, 0.0025, 0.004, 0.1, 0.2, 0.35),
    dimensions=(2, 10, 300),
    flat_draws=10_000,
    map_sizes=(2, 1000),
    map_sigmas=(0.05, 0.5),
)


@pytest.fixture(scope="module")
def record() -> Denoising:
    return compute(effort="quick", plan=SMALL, cache=PointCache(None))


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SCORECERT_LEDGER", raising=False)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command computes one point for each panel."""
    tiny = Plan((8,), 2, 100, 10, (0.3,), (2,), 10, (2, 3), (0.3, 0.5))
    monkeypatch.setattr(denoising, "PLANS", dict.fromkeys(denoising.PLANS, tiny))


# --- Numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["circle", "sphere", "flat-torus"])
def test_the_exchange_identity_agrees_with_the_definition(case: str) -> None:
    law = {"circle": Circles(1.0, 1, 2), "sphere": Sphere(1.0, 3)}.get(case, Circles(1.0, 2, 4))
    point = at_time(case, "1/5", N=4, a=1)
    names = ["eps_stab_squared", "E_own_change", "E_other_change"]
    numbers = measure(point, names, effort="quick", seed=3)
    mu, sigma = math.exp(-0.2), math.sqrt(1 - math.exp(-0.4))
    rng = np.random.default_rng(5)
    sample = exchange_sample(law, 4, 40_000, mu=mu, sigma=sigma, rng=rng)
    for name, values in zip(names, (sample.stability, sample.own, sample.other), strict=True):
        spread = values.std() / math.sqrt(len(values))
        assert abs(values.mean() - numbers[name].value) < numbers[name].error + 5 * spread


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("sigma", [1e-3, 1.0])
def test_the_exchange_identity_is_the_definition_worked_out(size: int, sigma: float) -> None:
    """For given U and X, the mean over which point was noised and which is replaced."""
    law = Mixture(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]), 0.0)
    got = exchange_sample(law, size, 1, mu=0.8, sigma=sigma, rng=np.random.default_rng(size))
    rng = np.random.default_rng(size)
    points = law.sample(rng, (1, size + 1))[0]
    x = 0.8 * points[0] + sigma * rng.standard_normal((1, 2))[0]
    energy = ((x - 0.8 * points) ** 2).sum(axis=1) / (2 * sigma**2)

    def mean(kept: list[int]) -> np.ndarray:
        kernel = np.exp(energy[kept].min() - energy[kept])
        return np.asarray(kernel @ points[kept] / kernel.sum())

    everyone = list(range(size + 1))
    kernel = np.exp(energy.min() - energy)
    without = [mean([j for j in everyone if j != i]) for i in everyone]
    expected = sum(
        kernel[j] / kernel.sum() * ((without[i] - without[j]) ** 2).sum() / size
        for j in everyone
        for i in everyone
    )
    assert got.stability[0] == pytest.approx(0.64 / sigma**4 * expected, rel=1e-9)


def test_slopes_are_within_sensible_limits(record: Denoising) -> None:
    fits = {
        (slope.panel, slope.case, round(slope.predicted)): slope
        for slope in record.slopes
        if slope.kind == "fit"
    }
    assert abs(fits["a", "circle", -1].value + 1) < 0.1
    assert abs(fits["a", "sphere", -1].value + 1) < 0.1
    assert abs(fits["b", "sphere", -2].value + 2) < 0.05
    assert abs(fits["b", "sphere", -3].value + 3) < 0.2
    assert abs(fits["b", "circle", -2].value + 2) < 0.1
    assert abs(fits["c", "circle", 0].value) < fits["c", "circle", 0].half_width + 0.005
    assert all(s.half_width > 0 for s in fits.values())
    for slope in record.slopes:
        if slope.quantity == "packing":
            assert slope.value == pytest.approx(slope.predicted, abs=0.05)
    assert any("D^" in line for line in record.summary())


def test_bounds_lie_above_what_they_bound(record: Denoising) -> None:
    for row in record.rows:
        if row.how == "bounds":
            assert row.best > row.lower or math.isnan(row.lower)
            assert row.packing > row.lower or math.isnan(row.lower)
            assert row.neighbours <= row.size + 1.000001
        else:
            assert row.value > 0
            assert row.error > 0
        if not math.isnan(row.upper):
            assert row.lower <= row.upper <= (1 + 2 / row.size) * row.lower * (1 + 1e-9)


def test_exponents_of_exact_and_of_noisy_powers() -> None:
    x = [1.0, 2.0, 4.0, 8.0]
    exact = fitted_exponent(x, [3 * u**-1.5 for u in x], [1e-9] * 4)
    assert exact is not None
    assert exact.value == pytest.approx(-1.5)
    curved = fitted_exponent(x, [1 / (1 + u) for u in x], [1e-9] * 4)
    assert curved is not None
    assert curved.half_width > 0.1, "what is no power law has a wide interval"
    assert fitted_exponent(x[:2], x[:2], [0.1, 0.1]) is None
    (one,) = local_exponents([4.0, 2.0], [1.0, 4.0], [0.0, 0.0])
    assert (one.value, one.low, one.high) == (-2.0, 2.0, 4.0)


def test_the_data_do_not_depend_on_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan((2,), 2, 100, 10, (0.3,), (2,), 10, (2,), (0.3,))
    kept = cache.open_cache("denoising")
    first = compute(effort="quick", plan=plan, cache=kept)
    assert kept.path is not None
    with kept.path.open("a") as file:
        file.write('\n["half a li')
    again = cache.open_cache("denoising")
    again.store("another", {"value": NAN})
    monkeypatch.setattr(denoising, "evaluate", lambda task: pytest.fail(f"{task} is cached"))
    second = compute(effort="quick", plan=plan, cache=cache.open_cache("denoising"))
    assert repr(second) == repr(first)


def test_another_seed_gives_other_numbers() -> None:
    tasks = list(denoising._tasks(SMALL, "quick", 0))
    others = list(denoising._tasks(SMALL, "quick", 1))
    (one, other) = (next(t for t in ts if t.panel == "c") for ts in (tasks, others))
    assert evaluate(one) == evaluate(one)
    assert evaluate(one) != evaluate(other)
    keys = [{t.key for t in ts if t.how == "bounds"} for ts in (tasks, others)]
    assert keys[0] == keys[1], "bounds have nothing random"


# --- Files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(record: Denoising) -> Figure:
    return FIGURES["denoising"].draw(record)


@pytest.fixture(scope="module")
def folder(record: Denoising, drawn: Figure, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("figure")
    where = drawing.targets(found / "slack.png", ["svg", "pdf"])
    written = drawing.save(drawn, record, where)
    assert written == tuple(found / f"slack.{end}" for end in ("png", "svg", "pdf", "npz", "csv"))
    return found


def test_files_hold_what_is_drawn(record: Denoising, drawn: Figure, folder: Path) -> None:
    assert len(list(folder.iterdir())) == 5
    heads = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    for suffix, head in heads.items():
        assert (folder / f"slack{suffix}").read_bytes().startswith(head)
    with np.load(folder / "slack.npz") as saved:
        mine = (saved["panel"] == "a") & (saved["case"] == "sphere") & (saved["how"] == "bounds")
        sizes, best = saved["size"][mine], saved["best"][mine]
        with (folder / "slack.csv").open() as file:
            rows = list(csv.DictReader(file))
        columns = np.array([float(row["best"]) for row in rows])
        np.testing.assert_array_equal(columns, saved["best"])
        assert len(saved["slope_value"]) == len(record.slopes)
    first = next(a for a in _axes(drawn) if a.get_title(loc="left").startswith("(a)"))
    lines = {line.get_label(): line for line in first.get_lines()}
    across, up = lines["_sphere best"].get_data()
    np.testing.assert_array_equal(across, np.sort(sizes))
    np.testing.assert_array_equal(up, np.sqrt(best[np.argsort(sizes)]))


def _axes(figure: Figure) -> list[Axes]:
    """All of them, those of subfigures too."""
    return [found for found in figure.findobj(Axes) if isinstance(found, Axes)]


def test_the_same_data_give_the_same_bytes(record: Denoising, folder: Path, tmp_path: Path) -> None:
    again = FIGURES["denoising"].draw(record)
    for path in drawing.save(again, record, drawing.targets(tmp_path / "slack.svg", [])):
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_no_text_lies_on_other_text(drawn: Figure) -> None:
    renderer = drawn.canvas.get_renderer()  # type: ignore[attr-defined]
    for axes in _axes(drawn):
        notes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
        legend = axes.get_legend()
        if legend is not None:
            notes.append(legend.get_window_extent(renderer))
            assert not any(n.overlaps(notes[-1]) for n in notes[:-1])
        for note in notes[:1]:
            assert note.x1 <= drawn.bbox.x1


# --- The command ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("_small")
def test_the_command_writes_by_suffix_and_by_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", "denoising", "--out", "a.svg", "--format", "png"]) == 0
    made = {path.name for path in tmp_path.iterdir()} - {".scorecert"}
    assert made == {"a.svg", "a.png", "a.npz", "a.csv"}
    assert "written: a.svg, a.png, a.npz, a.csv" in capsys.readouterr().out
    assert drawing.targets(Path("denoising"), []).formats == ("png",)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["denoisin"], "unknown figure 'denoisin': did you mean 'denoising'? Known: denoising"),
        (["denoising", "--format", "gif"], "unknown format 'gif'"),
        (["denoising", "--out", "a.gif"], "no format 'gif'"),
        (["denoising", "--effort", "lazy"], "unknown effort 'lazy'"),
        (["denoising", "--seed", "-1"], "seed=-1: a seed is an integer ≥ 0"),
        (["denoising", "--jobs", "0"], "jobs=0: the number of worker processes"),
        (["denoising", "--out", "nowhere/a.png"], "there is no folder nowhere"),
    ],
)
def test_what_is_refused(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["figure", *arguments]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    assert main(["figure", "denoising", "--out", "locked/a.png"]) == 2
    assert not list(folder.iterdir())


def test_a_failed_write_leaves_nothing(
    record: Denoising, drawn: Figure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = drawing.targets(tmp_path / "a.png", [])
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if ".csv" in path.name:
            write(path, content[:3])
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UsageError, match="No space left"):
        drawing.save(drawn, record, where)
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["figure", "denoising"]) == 2
    assert 'pip install "scorecert[figures]"' in capsys.readouterr().err


def test_ctrl_c_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(task: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(denoising, "evaluate", interrupted)
    assert main(["figure", "denoising"]) == 130
    assert not list(tmp_path.iterdir())
