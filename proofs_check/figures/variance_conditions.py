"""The conditions of the figure ``variance-controls``: those of Figures 2 and 3, and sweeps."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace

from proofs_check.figures.variance_points import EXACT, LIMIT, Setting, Task

STEPS = (30, 300)
#: The steps of the sweep over their number.
MANY_STEPS = (30, 100, 300, 1000)
BASE = Setting(stop=1e-3, size=256)
PLANE = Setting("circle", 0.0, "gaussian", (10, 10, 10), 1e-2, 500)
PLANE_TURNS = (0.0, 0.25)
RIDGES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
WEIGHTS = ("signal-to-noise", "one", "signal")
FEATURES = ("gaussian", "fourier", "fourier-distinct")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is computed."""

    stops: tuple[float, ...]
    sizes: tuple[int, ...]
    fits: int
    starts: int
    plane_fits: int
    plane_starts: int


_STOPS, _SIZES = (1e-4, 1e-3, 1e-2), (64, 128, 256, 512, 1024)
PLANS: Mapping[str, Plan] = {
    "quick": Plan(_STOPS, (64, 256, 1024), 12, 500, 4, 300),
    "standard": Plan(_STOPS, _SIZES, 1_000, 2_000, 100, 2_000),
    "deep": Plan(_STOPS, _SIZES, 5_000, 4_000, 400, 5_000),
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One setting with one number of steps, and the sweep that it is part of."""

    part: str
    setting: Setting
    steps: tuple[int, ...]

    def task(self, denoiser: str, plan: Plan, seed: int) -> Task:
        """Return the task of one denoiser, of which only what matters to it is kept."""
        line = self.setting.atoms == "line"
        fits = plan.fits if line else plan.plane_fits
        starts = plan.starts if line else plan.plane_starts
        setting = self.setting
        if denoiser == EXACT:
            setting = Setting(setting.atoms, setting.turn, stop=setting.stop, size=0)
        elif denoiser == LIMIT:
            setting = replace(setting, size=0)
        return Task(setting, denoiser, self.steps, fits, starts, seed)


def conditions(plan: Plan) -> Generator[Condition]:
    """Yield every setting, by part."""
    for stop in plan.stops:
        for size in plan.sizes:
            yield Condition("grid", replace(BASE, stop=stop, size=size), STEPS)
    yield Condition("steps", BASE, MANY_STEPS)
    for ridge in RIDGES:
        yield Condition("ridge", replace(BASE, ridge=ridge), STEPS)
    for weight in WEIGHTS:
        yield Condition("weight", replace(BASE, weight=weight), STEPS)
    for features in FEATURES:
        yield Condition("features", replace(BASE, features=features), STEPS)
    for features in FEATURES:
        for turn in PLANE_TURNS:
            yield Condition("plane", replace(PLANE, features=features, turn=turn), STEPS)
