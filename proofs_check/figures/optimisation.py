"""The data of the figure ``optimisation``: score stability of clipped SGD, and its bounds.

Two chains, on S and on S with one point replaced, on the score of two wells at one time of the
Ornstein–Uhlenbeck process. Panels: ``steps``, ε² against K for several N under two couplings, with
Propositions 11 and 14; ``paths``, distances of a few pairs; ``effects``, of P, B, C and λ;
``minibatch``, the noise of the batches alone; ``rates``, contraction and where the bounds cross.
A measured ε² belongs to its coupling, and the infimum over couplings is no larger.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from numerics.chains import Coupling
from proofs_check.figures import Advance
from proofs_check.figures.cache import PointCache, open_cache
from proofs_check.figures.finishing import check_request, finish
from proofs_check.figures.optimisation_points import (
    MOST_STEPS,
    BoundTask,
    ChainTask,
    MinibatchTask,
    PathTask,
    RateTask,
    Setting,
    evaluate,
)
from proofs_check.figures.optimisation_verdicts import (
    CONFIDENCE,
    Interval,
    Moments,
    Slope,
    ratio,
    sentence_of,
    slope_in_size,
    slope_in_steps,
)

Array = NDArray[np.float64]
Task = ChainTask | PathTask | BoundTask | RateTask | MinibatchTask

COUPLINGS: tuple[Coupling, ...] = ("synchronous", "reflection-maximal")
#: What one row of the effects varies, around `BASE`.
VARIABLES: Mapping[str, str] = {"P": "redraws", "B": "batch", "C": "clip", "lambda": "decay"}
BASE = Setting(size=100, batch=4)
EFFECT_STEPS = 256
PATHS = Setting(size=20)
PATH_STEPS = 120
#: Chains without Gaussian noise; with η λ = 1/2 a contraction is certified for much of their noise.
MINIBATCH = Setting(size=20, step_size="1/2")
START, MINIBATCH_STEPS = "1/2", 128
#: Where the bounds of Propositions 11 and 14 cross.
CROSSING_SIZE = 1000
#: Pairs in one task.
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed.

    ``doublings`` is log₂ of the largest K, ``exponents`` are the C²/(λ η s²) of rates by η.
    """

    sizes: tuple[int, ...]
    doublings: int
    pairs: int
    effects: Mapping[str, tuple[str, ...]]
    effect_pairs: int
    paths: int
    batches: tuple[int, ...]
    data_sets: int
    chains: int
    exponents: Mapping[str, tuple[float, ...]]

    @property
    def windows(self) -> tuple[int, ...]:
        """The K that are measured."""
        return tuple(2**k for k in range(self.doublings + 1))


_SIZES = (20, 50, 200, 1000)
_EFFECTS = {
    "P": ("1", "2", "4", "8", "16"),
    "B": ("1", "2", "4", "8", "16", "32"),
    "C": ("1/2", "3/4", "1", "5/4", "3/2"),
    "lambda": ("1/2", "3/4", "1", "2", "4"),
}
_EXPONENTS = {
    "1/10": (0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0),
    "1/40": (0.5, 1.0, 2.0, 4.0, 6.0),
}

PLANS: Mapping[str, Plan] = {
    "quick": Plan(
        sizes=_SIZES,
        doublings=11,
        pairs=2048,
        effects={
            "P": ("1", "4"),
            "B": ("1", "4", "16"),
            "C": ("1/2", "1"),
            "lambda": ("1", "2"),
        },
        effect_pairs=1024,
        paths=4,
        batches=(1, 4, 20),
        data_sets=8,
        chains=512,
        exponents={"1/10": (1.0, 2.0, 4.0)},
    ),
    "standard": Plan(
        sizes=_SIZES,
        doublings=11,
        pairs=65_536,
        effects=_EFFECTS,
        effect_pairs=8192,
        paths=4,
        batches=(1, 2, 4, 10, 20),
        data_sets=24,
        chains=4096,
        exponents=_EXPONENTS,
    ),
    "deep": Plan(
        sizes=_SIZES,
        doublings=13,
        pairs=262_144,
        effects=_EFFECTS,
        effect_pairs=65_536,
        paths=4,
        batches=(1, 2, 4, 7, 10, 15, 20),
        data_sets=128,
        chains=8192,
        exponents={"1/10": (*_EXPONENTS["1/10"], 8.5, 9.0), "1/40": _EXPONENTS["1/10"]},
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One number of the figure, with its interval where it is measured; NaN where there is none.

    ``kind`` is a coupling, a bound, or, of minibatch noise, ``infimum``, the quantiles of |θ| on S
    and Sⁱ matched, ``floor``, those of two halves of the chains on S, and ``w2`` and ``w2-floor``,
    the same of θ; of rates it is ``low``, ``high`` and ``eberle``, per unit of time ηk, and
    ``crossing`` and ``saturated``, the steps from which Proposition 14 is the smaller bound. ``x``
    is the value of ``variable``, ``value`` is ε², a bound on it, W_2, a rate or steps, and
    ``count`` is how many pairs or data sets there are.
    """

    panel: str
    kind: str
    variable: str
    x: float
    size: int
    batch: int
    redraws: int
    clip: float
    decay: float
    step_size: float
    noise: float
    clipping: str
    steps: int
    value: float
    low: float
    high: float
    count: int

    @property
    def interval(self) -> Interval:
        """The number with its interval."""
        return Interval(self.value, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Optimisation:
    """Everything that the figure shows; ``paths`` has distances (pairs, steps + 1)."""

    rows: tuple[Row, ...]
    slopes: tuple[Slope, ...]
    paths: Mapping[str, Array]
    effort: str
    seed: int

    def of(self, panel: str, kind: str, **where: object) -> tuple[Row, ...]:
        """Return the rows of a panel and kind with these entries."""
        return tuple(
            row
            for row in self.rows
            if (row.panel, row.kind) == (panel, kind)
            and all(getattr(row, name) == value for name, value in where.items())
        )

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
        """Return the head and the rows of the CSV file."""
        return [field.name for field in fields(Row)], [list(asdict(r).values()) for r in self.rows]

    def arrays(self) -> Mapping[str, NDArray[np.generic]]:
        """Return the columns of the rows, those of the exponents as ``slope_…``, the distances."""
        columns = {f.name: np.array([getattr(r, f.name) for r in self.rows]) for f in fields(Row)}
        slopes = {
            f"slope_{f.name}": np.array([getattr(s, f.name) for s in self.slopes])
            for f in fields(Slope)
        }
        paths = {f"distance_{name}": values for name, values in self.paths.items()}
        run = {"effort": np.array(self.effort), "seed": np.array(str(self.seed))}
        return {**columns, **slopes, **paths, **run}

    def summary(self) -> Sequence[str]:
        """Return what the figure shows, in lines."""
        return [
            f"intervals: asymptotic, {100 * CONFIDENCE:g} % each, Student and delta method over "
            "independent pairs, each on data of its own; of minibatch noise over data sets",
            *map(sentence_of, self.slopes),
            *_coupling_lines(self),
            *_bound_lines(self),
            *_effect_lines(self),
            *_minibatch_lines(self),
            *_rate_lines(self),
        ]


# --- Computing ------------------------------------------------------------------------------------


def compute(
    *,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    advance: Advance = lambda done, total, last: None,
    plan: Plan | None = None,
    cache: PointCache | None = None,
) -> Optimisation:
    """Compute the data of the figure; they do not depend on the number of jobs.

    Parameters
    ----------
    effort
        ``quick``, ``standard`` or ``deep``.
    seed
        Of data sets and chains.
    jobs
        Number of worker processes.
    advance
        Called with how much is done, of how much, and what came last.
    plan
        Instead of the effort's own.
    cache
        Where finished points are found and kept; the cache of the present code if None.

    Raises
    ------
    UsageError
        For an unknown effort, a negative seed, fewer than one job, or a cache that cannot be
        written.
    WorkerDied
        If a worker process was killed or ran out of memory.

    Examples
    --------
    >>> compute(effort="quik")
    Traceback (most recent call last):
    ...
    proofs_check.errors.UsageError: unknown effort 'quik': did you mean 'quick'? Known: ...
    """
    check_request(effort, seed, jobs)
    kept = open_cache("optimisation") if cache is None else cache
    chosen = PLANS[effort] if plan is None else plan
    finish(tuple(_tasks(chosen, seed)), evaluate, kept, jobs=jobs, advance=advance)
    known = kept.known
    moments = {
        (coupling, size): _moments(_chain_tasks(chosen, coupling, size, seed), known)
        for coupling in COUPLINGS
        for size in chosen.sizes
    }
    slopes = [
        *(
            slope_in_steps(coupling, size, chosen.windows, one)
            for (coupling, size), one in moments.items()
        ),
        *(
            slope_in_size(coupling, {size: moments[coupling, size] for size in chosen.sizes})
            for coupling in COUPLINGS
        ),
    ]
    rows = (
        *_step_rows(chosen, moments, known),
        *_effect_rows(chosen, seed, known),
        *_minibatch_rows(chosen, seed, known),
        *_rate_rows(chosen, known),
    )
    paths: dict[str, Array] = {
        c: np.array(known[_path(chosen, c, seed).key]["distances"]) for c in COUPLINGS
    }
    return Optimisation(rows, tuple(slopes), paths, effort, seed)


def _tasks(plan: Plan, seed: int) -> Generator[Task]:
    """Yield all tasks, the longest first, that workers end together."""
    yield from reversed(_minibatch_tasks(plan, seed))
    yield from (RateTask(noisy) for noisy in reversed(_noisy_settings(plan)))
    yield _size_bounds(plan)
    yield from (_effect_bound(setting) for _, _, setting in _effect_settings(plan))
    for coupling in COUPLINGS:
        for size in plan.sizes:
            yield from _chain_tasks(plan, coupling, size, seed)
    for _, _, setting in _effect_settings(plan):
        for coupling in COUPLINGS:
            yield from _effect_tasks(plan, setting, coupling, seed)
    yield from (_path(plan, coupling, seed) for coupling in COUPLINGS)


def _chain_tasks(plan: Plan, coupling: Coupling, size: int, seed: int) -> list[ChainTask]:
    return _chunks(Setting(size=size), coupling, plan.windows, plan.pairs, seed)


def _chunks(
    setting: Setting, coupling: Coupling, windows: tuple[int, ...], pairs: int, seed: int
) -> list[ChainTask]:
    return [
        ChainTask(setting, coupling, windows, first, min(_CHUNK, pairs - first), seed)
        for first in range(0, pairs, _CHUNK)
    ]


def _size_bounds(plan: Plan) -> BoundTask:
    return BoundTask(Setting(size=plan.sizes[0]), plan.sizes, plan.windows)


def _path(plan: Plan, coupling: Coupling, seed: int) -> PathTask:
    return PathTask(PATHS, coupling, PATH_STEPS, plan.paths, seed)


def _effect_settings(plan: Plan) -> list[tuple[str, float, Setting]]:
    """Return what is varied, its value, and the setting; B with both ways of clipping."""
    found: list[tuple[str, float, Setting]] = []
    for variable, field in VARIABLES.items():
        for text in plan.effects[variable]:
            changed = {field: int(text) if variable in ("P", "B") else text}
            setting = replace(BASE, **changed)  # type: ignore[arg-type]
            found.append((variable, float(Fraction(text)), setting))
            if variable == "B":
                point_by_point = replace(setting, clipping="per-sample")
                found.append((variable, float(Fraction(text)), point_by_point))
    return found


def _effect_tasks(plan: Plan, setting: Setting, coupling: Coupling, seed: int) -> list[ChainTask]:
    return _chunks(setting, coupling, (EFFECT_STEPS,), plan.effect_pairs, seed)


def _effect_bound(setting: Setting) -> BoundTask:
    return BoundTask(replace(setting, redraws=1), (setting.size,), (EFFECT_STEPS,))


def _minibatch_tasks(plan: Plan, seed: int) -> list[MinibatchTask]:
    return [
        MinibatchTask(
            replace(MINIBATCH, batch=batch),
            START,
            MINIBATCH_STEPS,
            plan.data_sets,
            plan.chains,
            seed,
        )
        for batch in plan.batches
    ]


def _noisy_settings(plan: Plan) -> list[Setting]:
    """Return settings of about these C²/(λ η s²), for C = λ = 1."""
    return [
        Setting(
            size=CROSSING_SIZE,
            step_size=eta,
            noise=str(Fraction(1 / math.sqrt(x * float(Fraction(eta)))).limit_denominator(20)),
        )
        for eta, exponents in plan.exponents.items()
        for x in exponents
    ]


# --- Rows -----------------------------------------------------------------------------------------


def _moments(tasks: Sequence[ChainTask], known: Mapping[str, Any]) -> Moments:
    return Moments.of_sums([known[task.key] for task in tasks])


def _row(
    panel: str,
    kind: str,
    setting: Setting,
    steps: int,
    place: tuple[str, float],
    value: float | Interval | None,
    count: int = 0,
) -> Row:
    if isinstance(value, Interval):
        told = value
    else:
        told = Interval(math.nan if value is None else value, math.nan, math.nan)
    return Row(
        panel=panel,
        kind=kind,
        variable=place[0],
        x=place[1],
        size=setting.size,
        batch=setting.batch,
        redraws=setting.redraws,
        clip=float(Fraction(setting.clip)),
        decay=float(Fraction(setting.decay)),
        step_size=float(Fraction(setting.step_size)),
        noise=float(Fraction(setting.noise)),
        clipping=setting.clipping,
        steps=steps,
        value=told.value,
        low=told.low,
        high=told.high,
        count=count,
    )


def _step_rows(
    plan: Plan, moments: Mapping[tuple[Coupling, int], Moments], known: Mapping[str, Any]
) -> Generator[Row]:
    bounds = known[_size_bounds(plan).key]
    for i, size in enumerate(plan.sizes):
        setting = Setting(size=size)
        for j, steps in enumerate(plan.windows):
            place = ("K", float(steps))
            for coupling in COUPLINGS:
                one = moments[coupling, size]
                # Started at 0, where this gradient vanishes, no chain feels its data at once.
                told = one.interval(j) or 0.0
                yield _row("steps", coupling, setting, steps, place, told, one.count)
            for name, values in bounds.items():
                yield _row("steps", name, setting, steps, place, values[i][j])


def _effect_rows(plan: Plan, seed: int, known: Mapping[str, Any]) -> Generator[Row]:
    for variable, x, setting in _effect_settings(plan):
        for coupling in COUPLINGS:
            one = _moments(_effect_tasks(plan, setting, coupling, seed), known)
            told = one.interval(0) or 0.0
            yield _row("effects", coupling, setting, EFFECT_STEPS, (variable, x), told, one.count)
        for name, values in known[_effect_bound(setting).key].items():
            yield _row("effects", name, setting, EFFECT_STEPS, (variable, x), values[0][0])


def _minibatch_rows(plan: Plan, seed: int, known: Mapping[str, Any]) -> Generator[Row]:
    for task in _minibatch_tasks(plan, seed):
        found = known[task.key]
        setting = replace(task.setting, noise=found["noise"])
        place, rest = ("B", float(setting.batch)), (setting, task.steps)
        for name in ("synchronous", "infimum", "floor", "w2", "w2_floor"):
            one = Moments.of_values(found[name])
            told, kind = one.interval(0) or 0.0, name.replace("_", "-")
            yield _row("minibatch", kind, *rest, place, told, one.count)
        for name, kind in (("bound", "proposition-14"), ("trivial", "trivial")):
            yield _row("minibatch", kind, *rest, place, found[name])


def _rate_rows(plan: Plan, known: Mapping[str, Any]) -> Generator[Row]:
    for setting in _noisy_settings(plan):
        for kind, value in known[RateTask(setting).key].items():
            yield _row("rates", kind, setting, 0, ("exponent", setting.exponent), value)


# --- Sentences ------------------------------------------------------------------------------------


def _last(record: Optimisation, kind: str, size: int) -> Row:
    return record.of("steps", kind, size=size)[-1]


def _sizes(record: Optimisation) -> list[int]:
    return list(dict.fromkeys(row.size for row in record.of("steps", "trivial")))


def _coupling_lines(record: Optimisation) -> Generator[str]:
    for size in _sizes(record):
        one, other = (_last(record, coupling, size) for coupling in COUPLINGS)
        if one.value > 0 and other.value > 0:
            told = ratio(other.interval, one.interval)
            yield (
                f"N = {size}, K = {one.steps}: ε² under reflection–maximal coupling is {told} "
                "times that under synchronous coupling"
            )


def _bound_lines(record: Optimisation) -> Generator[str]:
    for size in _sizes(record):
        limit, trivial = (_last(record, kind, size) for kind in ("proposition-14", "trivial"))
        measured = _last(record, COUPLINGS[1], size)
        if measured.value > 0 and limit.value > 0:
            share = ratio(Interval(limit.value, limit.value, limit.value), measured.interval)
            yield (
                f"N = {size}, K = {limit.steps}: Proposition 14's bound on ε², {limit.value:.3g}, "
                f"is {limit.value / trivial.value:.3g} of Λ²(2R)² and {share} times the measured"
            )


def _effect_lines(record: Optimisation) -> Generator[str]:
    for variable in VARIABLES:
        for coupling in COUPLINGS:
            for clipping in ("whole", "per-sample"):
                rows = record.of("effects", coupling, variable=variable, clipping=clipping)
                if len(rows) > 1 and rows[0].value > 0 and rows[-1].value > 0:
                    name = "λ" if variable == "lambda" else variable
                    how = ", clipped point by point" if clipping == "per-sample" else ""
                    yield (
                        f"{coupling}{how}: ε² at {name} = {rows[-1].x:g} is "
                        f"{ratio(rows[-1].interval, rows[0].interval)} times that at "
                        f"{name} = {rows[0].x:g} ({rows[0].count} pairs each)"
                    )


def _minibatch_lines(record: Optimisation) -> Generator[str]:
    yield (
        "quantiles matched: the best coupling on the same data, over-estimated as there are "
        "finitely many chains; nothing is subtracted; its floor: two halves of the chains on S"
    )
    for bound in record.of("minibatch", "proposition-14"):
        found = {
            kind: record.of("minibatch", kind, x=bound.x)[0]
            for kind in ("synchronous", "infimum", "floor", "w2", "w2-floor", "trivial")
        }
        measured = ", ".join(
            f"{name} {found[kind].interval}"
            for kind, name in (
                ("synchronous", "ε² synchronous"),
                ("infimum", "quantiles matched"),
                ("floor", "its floor"),
            )
        )
        head = (
            f"minibatch noise, N = {bound.size}, B = {bound.batch}, s = {bound.noise:g} "
            f"({found['floor'].count} data sets): {measured}; W_2 of θ {found['w2'].value:.2g}, "
            f"floor {found['w2-floor'].value:.2g}"
        )
        if math.isnan(bound.value):
            yield f"{head}; no contraction is certified at that s: Proposition 14 is vacuous"
            continue
        shares = [
            f"{_over(found[kind].interval, bound.value)} ({name})"
            for kind, name in (("synchronous", "synchronous"), ("infimum", "quantiles"))
        ]
        verdict = _holds(found["synchronous"].interval, bound.value, found["trivial"].value)
        yield (
            f"{head}; measured over Proposition 14's bound at that s, {bound.value:.3g}: "
            f"{', '.join(shares)}: it {verdict}"
        )


def _holds(measured: Interval, bound: float, trivial: float) -> str:
    """Say whether a bound for other noise is one on what was measured.

    Examples
    --------
    >>> _holds(Interval(0.2, 0.1, 0.4), 1.0, 9.0), _holds(Interval(0.2, 0.1, 0.4), 0.3, 9.0)
    ('holds', 'is undecided')
    """
    if bound >= trivial:
        return f"holds, but says less than Λ²(2R)² = {trivial:.3g}, which always does"
    if measured.high < bound:
        return "holds"
    return "fails" if measured.low > bound else "is undecided"


def _over(one: Interval, bound: float) -> Interval:
    return Interval(one.value / bound, one.low / bound, one.high / bound)


def _rate_lines(record: Optimisation) -> Generator[str]:
    for eta in dict.fromkeys(row.step_size for row in record.of("rates", "low")):
        rates = [r for r in record.of("rates", "low", step_size=eta) if not math.isnan(r.value)]
        rates.sort(key=lambda row: row.x)
        if len(rates) > 1:
            one, other = rates[-2:]
            fall = math.log(one.value / other.value) / (other.x - one.x)
            theirs = [record.of("rates", "eberle", step_size=eta, x=row.x)[0] for row in rates]
            shares = [row.value / c.value for row, c in zip(rates, theirs, strict=True)]
            yield (
                f"η = {eta:g}: ρ ∝ exp(−{fall:.3g} C²/(λ η s²)) between {one.x:.3g} and "
                f"{other.x:.3g}; ρ/η is {min(shares):.3g} to {max(shares):.3g} times Eberle's c"
            )
        crossings = [
            (record.of("rates", kind, step_size=eta), name)
            for kind, name in (("crossing", "11"), ("saturated", "11 saturated"))
        ]
        for rows, name in crossings:
            told = [
                f"{'none' if math.isnan(row.value) else format(row.value, 'g')} at {row.x:.3g}"
                for row in sorted(rows, key=lambda row: row.x)
            ]
            yield (
                f"η = {eta:g}, N = {CROSSING_SIZE}: Proposition {name} exceeds 14 from "
                f"K* ≤ {MOST_STEPS} on, by C²/(λ η s²): {', '.join(told)}"
            )
