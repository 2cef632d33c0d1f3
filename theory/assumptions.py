"""What several claims assume, in words."""

from __future__ import annotations

SAMPLE = "x_1, …, x_N, x̃ are i.i.d. from ν"
STABLE = "ŝ is score stable with constant ε_stab, which is the supremum over the replaced index i"
TAU = "τ is a finite measure on [ε, T] with ε > 0"
TAU_FORWARD = f"{TAU}; μ_t falls and σ_t grows with t"
EMPIRICAL = "ŝ is the empirical score"
