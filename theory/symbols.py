"""Symbols that every room section shares: sample size, dimension, and the noise at one time."""

from __future__ import annotations

import sympy as sp

N = sp.Symbol("N", integer=True, positive=True)
d = sp.Symbol("d", integer=True, positive=True)

#: Signal and squared noise level at one time of the forward process, X_t = mu X_0 + sigma Z.
mu = sp.Symbol("mu", positive=True)
sigma2 = sp.Symbol("sigma2", positive=True)

#: Diffusion time.
t = sp.Symbol("t", positive=True)
