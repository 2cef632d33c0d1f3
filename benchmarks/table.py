"""The page that the benchmark writes: one line per row, the details of each contestant below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.contest import Row, Timing

Measured = Sequence[tuple[Row, Sequence[Timing]]]


def seconds_text(seconds: float | None) -> str:
    """Return a duration with a unit and two or three digits.

    Examples
    --------
    >>> seconds_text(0.0123), seconds_text(4.5), seconds_text(None)
    ('12.3 ms', '4.50 s', '–')
    """
    if seconds is None:
        return "–"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return (
                f"{seconds / size:.3g} {unit}"
                if seconds >= 10 * size
                else (f"{seconds / size:.2f} {unit}")
            )
    return f"{seconds * 1e6:.3g} µs"


def best_peer(timings: Sequence[Timing]) -> Timing | None:
    """Return the fastest of all but the first and the references; None if no peer ran."""
    peers = [t for t in timings[1:] if t.seconds is not None and not t.reference]
    return min(peers, key=lambda timing: timing.seconds or 0.0) if peers else None


def ratio(timings: Sequence[Timing]) -> float | None:
    """Return how many times faster the first is than the best of the others."""
    peer, ours = best_peer(timings), timings[0].seconds
    return peer.seconds / ours if peer and peer.seconds and ours else None


def met(row: Row, timings: Sequence[Timing]) -> str:
    """Return "yes", "no", or "–" where nothing could be compared."""
    if row.target.seconds is not None:
        ours = timings[0].seconds
        return "–" if ours is None else ("yes" if ours <= row.target.seconds else "no")
    found = ratio(timings)
    if row.target.ratio is None or found is None:
        return "–"
    return "yes" if found >= row.target.ratio else "no"


def render(
    measured: Measured,
    *,
    versions: Mapping[str, str | None],
    machine: str,
    repetitions: int,
    budget: float,
    quick: bool,
) -> str:
    """Return the page as markdown.

    Parameters
    ----------
    measured : sequence of (Row, timings)
        The first timing of each row is ours.
    versions : mapping
        Package to version, None where it is not installed.
    machine : str
        One line of facts.
    repetitions, budget, quick
        As the benchmark ran.

    Returns
    -------
    str
    """
    installed = ", ".join(f"{name} {number}" for name, number in versions.items() if number)
    absent = [name for name, number in versions.items() if number is None]
    lines = [
        "# Benchmark",
        "",
        "Written by `python -m benchmarks`; do not edit. All in float64, on the same inputs, in "
        f"one run: medians of {repetitions} interleaved repetitions after a warm-up, fewer where "
        f"a contestant used up {budget:g} s. The machine is shared with other jobs: only ratios "
        "mean anything, and a single run moves them by a third or more.",
        "",
        f"- Machine: {machine}",
        f"- Versions: {installed}",
        *(f"- Not installed, not measured: {name}" for name in absent),
        *(
            ["- Sizes are far smaller than the titles say (`--quick`): targets do not apply."]
            if quick
            else []
        ),
        "",
        "| kernel and size | ours | best peer | ratio | target | met |",
        "|---|---|---|---|---|---|",
    ]
    for row, timings in measured:
        peer, times = best_peer(timings), ratio(timings)
        lines.append(
            f"| {row.title} | {_own(timings[0])} | "
            f"{f'{peer.name} {seconds_text(peer.seconds)}' if peer else '–'} | "
            f"{_ratio_text(times, peer)} | {row.target.text} | "
            f"{'–' if quick else met(row, timings)} |"
        )
    lines += ["", "## Every contestant", ""]
    lines += [
        "Error: worst relative error on a few inputs against extended precision. First call: in "
        "a fresh process with empty caches, compilation included. Memory: its peak above the "
        "inputs.",
        "",
    ]
    for row, timings in measured:
        lines += [f"### {row.title}", "", *_details(timings), ""]
    return "\n".join(lines)


def _ratio_text(times: float | None, peer: Timing | None) -> str:
    if times is None or peer is None:
        return "–"
    return f"{'> ' if peer.gave_up else ''}{times:.3g}×"


def _own(timing: Timing) -> str:
    return timing.failure or seconds_text(timing.seconds)


def _details(timings: Sequence[Timing]) -> list[str]:
    counted = any(timing.work for timing in timings)
    head = ["", "time", "runs", "error", "first call", "memory", *(["work"] if counted else [])]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for timing in timings:
        cells = [
            timing.name,
            timing.failure or seconds_text(timing.seconds),
            str(timing.repetitions or "–"),
            "–" if timing.error is None else f"{timing.error:.0e}",
            seconds_text(timing.first_call),
            "–" if timing.peak_bytes is None else f"{timing.peak_bytes / 2**20:.0f} MiB",
            *([timing.work or "–"] if counted else []),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"{timing.name}: {timing.note}." for timing in timings if timing.note]
    return [*lines, "", " ".join(notes)] if notes else lines
