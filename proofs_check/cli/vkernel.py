"""``scorecert vkernel``: how much a linear denoiser learnt from the user's data would vary."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from numerics.schedules import SCHEDULES, schedule_named
from numerics.v_kernel_deviation import Ratio
from proofs_check.cli.output import say
from proofs_check.cli.progress import progress_bar
from proofs_check.data_stability import parse_times
from proofs_check.data_variance import DataVariance, VarianceMaps, data_variance
from proofs_check.datasets import load_dataset
from proofs_check.errors import UsageError, one_of
from proofs_check.exact import exact_number
from proofs_check.fingerprint import versions
from proofs_check.plain_json import dumps
from proofs_check.plain_text import aligned


def run_vkernel(
    data: str,
    *,
    features: str,
    training_size: int,
    ridge: str,
    eps: str,
    horizon: str,
    times: str,
    schedule: str,
    models: int,
    low: str | None,
    high: str | None,
    seed: int,
    as_json: bool,
    out: Path | None,
) -> None:
    """Print how much the learnt score varies, and how that compares with refitted models.

    Raises
    ------
    UsageError
        For anything wrong with the data or with what was asked for; nothing is then written.
    """
    process = schedule_named(one_of("schedule", schedule, [s.name for s in SCHEDULES]))
    if seed < 0:
        raise UsageError(f"seed={seed}: a seed is an integer ≥ 0; pass 0")
    if training_size < 1:
        raise UsageError(f"P={training_size}: the number of draws is an integer ≥ 1; pass 256")
    penalty = _number("ridge", ridge, "a number ≥ 0")
    if penalty < 0.0:
        raise UsageError(f"ridge={ridge}: the ridge is a number ≥ 0; pass 0.1")
    first, last = _number("eps", eps, "a time > 0"), _number("T", horizon, "a time > 0")
    if not 0.0 < first < last:
        at_zero = ", not t at 0" if first <= 0.0 else ""
        raise UsageError(
            f"eps={eps}: eps is a time > 0 and below T ({horizon}){at_zero}; pass 0.01"
        )
    _check_times(times)
    instants = parse_times(times, eps=first, horizon=last)
    box = [None if end is None else _number(name, end) for name, end in _named(low, high)]
    _check_out(out)
    points = load_dataset(data)
    with progress_bar() as advance:
        found, maps = data_variance(
            points,
            features=features,
            training_size=training_size,
            ridge=penalty,
            schedule=process,
            eps=first,
            horizon=last,
            times=instants,
            models=models,
            low=box[0],
            high=box[1],
            seed=seed,
            progress=lambda done, total: advance(done, total, ""),
        )
    context = {
        "data": data,
        "features": features,
        "ridge": ridge,
        "schedule": schedule,
        "eps": eps,
        "T": horizon,
        "seed": seed,
    }
    if out is not None:
        _write(out, maps)
    if as_json:
        plain = {**asdict(found), "quadrature_errors": found.quadrature_errors._asdict()}
        say(dumps({**context, "versions": versions(), **_with_named_ratios(plain)}))
    else:
        say(_as_text(found, context))


def _named(low: str | None, high: str | None) -> tuple[tuple[str, str | None], ...]:
    return ("low", low), ("high", high)


def _number(name: str, text: str, domain: str = "a real number") -> float:
    try:
        return float(exact_number(name, text, domain))
    except OverflowError:
        raise UsageError(f"{name}={text}: beyond the range of float64; make it smaller") from None


def _check_times(times: str) -> None:
    """Refuse a time at 0 by name: the score has no limit there for data that are points."""
    if ":" in times:
        return
    for text in times.split(","):
        if _number("times", text, "a list of times > 0") <= 0.0:
            raise UsageError(
                f"times={times}: t at 0 or below, where points have no score; every time is > 0"
            )


def _check_out(out: Path | None) -> None:
    if out is None:
        return
    if out.suffix != ".npz":
        raise UsageError(f"out={out}: maps are written as .npz; name a file ending in .npz")
    if not out.parent.is_dir():
        raise UsageError(f"out={out}: no such folder; make it first")
    if out.is_dir():
        raise UsageError(f"out={out}: it is a folder; name a file")


def _write(out: Path, maps: VarianceMaps) -> None:
    arrays = {name: getattr(maps, name) for name in maps.__dataclass_fields__}
    try:
        np.savez(out, **arrays)
    except OSError as error:
        raise UsageError(f"out={out}: cannot be written ({error.strerror or error})") from None


def _with_named_ratios(plain: dict[str, Any]) -> dict[str, Any]:
    def named(ratio: Ratio | None) -> dict[str, float] | None:
        return None if ratio is None else ratio._asdict()

    rows = [{**row, "ratio": named(row["ratio"])} for row in plain["times"]]
    ratios = {name: named(plain[name]) for name in ("sandwich", "representable")}
    return {**plain, **ratios, "times": rows}


def _as_text(found: DataVariance, context: dict[str, Any]) -> str:
    worst = max(found.quadrature_errors)
    design = [
        ("data", f"{context['data']}: {found.rows} rows, {found.dimension} columns, equal masses"),
        (
            "model",
            f"{context['features']} on [{found.low:.6g}, {found.high:.6g}], ridge "
            f"{context['ridge']}, {context['schedule']}, t uniform on [{context['eps']}, "
            f"{context['T']}], λ = μ²/σ²",
        ),
        (
            "sizes",
            f"F = {found.feature_count}, P = {found.training_size}, F/P = "
            f"{found.features_per_draw:.4g}, effective sample size {found.effective_size:.4g}",
        ),
        ("quadrature", f"two rules differ by {worst:.2g} relative"),
    ]
    blocks = [aligned(design)]
    head = ["t", "mean tr Cov ŝ", "largest", "mean tr C/(tr C + |s|²)", "largest"]
    rows = [[*head, "empirical/predicted"] if found.models else head]
    for row in found.times:
        numbers = (row.mean_variance, row.largest_variance, row.mean_proxy, row.largest_proxy)
        cells = [f"{row.time:.4g}", *(f"{number:.5g}" for number in numbers)]
        rows.append(cells if row.ratio is None else [*cells, _ratio(row.ratio)])
    blocks.append(aligned(rows))
    if found.sandwich is not None and found.representable is not None:
        blocks.append(
            aligned(
                [
                    (f"{found.models} refitted models", "empirical/predicted E[λ tr Cov m̂]"),
                    ("sandwich", _ratio(found.sandwich)),
                    ("representable, Proposition 5.1", _ratio(found.representable)),
                ]
            )
        )
        blocks.append(f"Intervals: jackknife over models, {found.confidence:g} confidence each.")
    note = "Variances: leading order in 1/P, sandwich form, over a grid of the box."
    if found.feature_count > found.effective_size:
        note += (
            f" F = {found.feature_count} exceeds the effective sample size "
            f"{found.effective_size:.4g}: leading order may be far off; see --models."
        )
    return "\n\n".join([*blocks, note])


def _ratio(ratio: Ratio) -> str:
    return f"{ratio.ratio:.4g} [{ratio.lower:.4g}, {ratio.upper:.4g}]"
