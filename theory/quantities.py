"""The vocabulary: every quantity that a claim may speak of.

``QUANTITIES`` describes them in plain text; the attribute of the same name is the sympy symbol,
made on first use: ``theory.quantities.E_l_dsm``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sympy as sp


@dataclass(frozen=True, slots=True)
class Quantity:
    """A nonnegative real number that depends on the law, the sample size, the algorithm and τ."""

    name: str
    latex: str
    unicode: str
    meaning: str


QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity(
            "E_l_dsm",
            r"\mathbb{E}\,\ell_{\mathrm{dsm}}(\hat s)",
            "E ℓ_dsm(ŝ)",
            "expected denoising loss of the trained score on the true law",
        ),
        Quantity(
            "E_l_dsm_hat",
            r"\mathbb{E}\,\hat\ell_{\mathrm{dsm}}(\hat s)",
            "E ℓ̂_dsm(ŝ)",
            "expected denoising loss of the trained score on its own training set",
        ),
        Quantity(
            "E_l_sm",
            r"\mathbb{E}\,\ell_{\mathrm{sm}}(\hat s)",
            "E ℓ_sm(ŝ)",
            "expected squared distance of the trained score to the true score",
        ),
        Quantity(
            "E_l_sm_hat",
            r"\mathbb{E}\,\hat\ell_{\mathrm{sm}}(\hat s)",
            "E ℓ̂_sm(ŝ)",
            "expected squared distance of the trained score to the empirical score, under the "
            "noised training set",
        ),
        Quantity(
            "C_sm",
            r"C_{\mathrm{sm}}",
            "C_sm",
            "ℓ_dsm − ℓ_sm: the least denoising loss, an integrated posterior variance",
        ),
        Quantity(
            "E_C_sm_hat",
            r"\mathbb{E}\,\hat C_{\mathrm{sm}}",
            "E Ĉ_sm",
            "the same constant for the training set: the least empirical denoising loss",
        ),
        Quantity(
            "eps_stab_squared",
            r"\varepsilon_{\mathrm{stab}}^2",
            "ε_stab²",
            "score stability, squared: mean squared change of the score, where the swapped-in "
            "point is noised, when one training point is replaced",
        ),
        Quantity(
            "E_C_sm_hat_next",
            r"\mathbb{E}\,\hat C_{\mathrm{sm}}^{(N+1)}",
            "E Ĉ_sm[N+1]",
            "E Ĉ_sm with one training point more",
        ),
        Quantity(
            "E_l_dsm_replaced",
            r"\mathbb{E}\,\ell_{\mathrm{dsm}}(\hat s^i;\tilde x)",
            "E ℓ_dsm(ŝⁱ; x̃)",
            "denoising loss, at the swapped-in point, of the score trained with that point",
        ),
        Quantity(
            "E_change_on_sample",
            r"\mathbb{E}\,\|\hat s-\hat s^i\|^2_{\hat p}",
            "E‖ŝ − ŝⁱ‖²_p̂",
            "mean squared change of the score, under the noised training set, when one training "
            "point is replaced; averaged over the point",
        ),
        Quantity(
            "E_own_change",
            r"\mathbb{E}\,\|\hat s^{+}-\hat s\|^2_{\tilde x}",
            "E‖ŝ⁺ − ŝ‖²_x̃",
            "mean squared change of the score when x̃ joins the training set, where x̃ is noised",
        ),
        Quantity(
            "E_other_change",
            r"\mathbb{E}\,\|\hat s^{+}-\hat s\|^2_{x_1}",
            "E‖ŝ⁺ − ŝ‖²_x₁",
            "mean squared change of the score when x̃ joins the training set, where a training "
            "point is noised",
        ),
        Quantity(
            "largest_change",
            r"G_\varepsilon",
            "G_ε",
            "D_H² μ_ε²/σ_ε⁴, with D_H the diameter of the support: at least the squared distance "
            "of any two scores whose posterior means lie in the support's hull",
        ),
        Quantity(
            "ball_mass",
            r"q_\varepsilon",
            "q_ε",
            "c_ν r^d* with r = ball · σ_ε/μ_ε: at most the mass of every ball of radius r centred "
            "in the support",
        ),
        Quantity("tau_mass", r"|\tau|", "|τ|", "the total mass of τ"),
        Quantity(
            "inverse_local_mass",
            r"\mathbb{E}\,K_\varepsilon^{-p}",
            "E K_ε⁻ᵖ",
            "with p = c/(1 − c) and K_ε the mean over the training set Sⁱ of "
            "exp(−μ_ε²|x̃ − x_j|²/(2(1 − c)σ_ε²))",
        ),
        Quantity(
            "packing_first",
            r"\Pi_1",
            "Π₁",
            "D_H²/(N + 1) · ∫ (μ²/σ⁴) E q(X_t)⁻¹ dτ, where q(x) is the mean of "
            "exp(−(|x − μy|² − min)/(2σ²)) over y from ν: bounds the weight of a point's own noise",
        ),
        Quantity(
            "packing_second",
            r"\Pi_2",
            "Π₂",
            "2 D_H²/((N + 1)(N + 2)) · ∫ (μ²/σ⁴) E q(X_t)⁻² dτ, q as in Π₁: bounds its square",
        ),
        Quantity(
            "inverse_binomial_moment",
            r"\mathbb{E}\,(1+\mathrm{Bin}(n,q))^{-k}",
            "E(1 + Bin(n,q))⁻ᵏ",
            "inverse moment of one plus a binomial variable",
        ),
        Quantity(
            "P_f_x", r"P_tf(x)", "P_t f(x)", "mean of a function f >= 0 over the noised point x"
        ),
        Quantity(
            "P_f_y", r"P_tf(y)", "P_t f(y)", "mean of a function f >= 0 over the noised point y"
        ),
        Quantity(
            "P_f_alpha_y",
            r"P_tf^\alpha(y)",
            "P_t f^α(y)",
            "mean of f^α over the noised point y",
        ),
        Quantity(
            "geometric_mean_x",
            r"e^{P_t\log f(x)}",
            "exp P_t log f(x)",
            "geometric mean of f over the noised point x",
        ),
        Quantity(
            "log_harnack_constant",
            r"\log\sup_f (P_tf(x))^\alpha/P_tf^\alpha(y)",
            "log sup_f (P_t f(x))^α/P_t f^α(y)",
            "logarithm of the best constant in Harnack's inequality for a heat kernel",
        ),
        Quantity(
            "log_harnack_divergence",
            r"\mathrm{KL}(k_t(x,\cdot)\,\|\,k_t(y,\cdot))",
            "KL(k_t(x,·)‖k_t(y,·))",
            "the best constant in the log-Harnack inequality for a heat kernel",
        ),
        Quantity(
            "transport_cost",
            r"\rho^2K/(2(e^{2Kt}-1))",
            "ρ²K/(2(e^{2Kt} − 1))",
            "ρ the distance of x and y, K a lower bound of the Ricci curvature (K = 0: ρ²/(4t))",
        ),
        Quantity(
            "KL",
            r"\mathbb{E}\,\mathrm{KL}(p_\varepsilon\,\|\,\hat q)",
            "KL",
            "E KL(p_ε‖q̂): divergence of the sampler's law q̂ from the noised data, averaged over "
            "the training set",
        ),
        Quantity(
            "D_kappa",
            r"D_\kappa",
            "D_kappa",
            "Σ_k ∫ E|s(Y_t, T − t) − s(Y_{t_k}, T − t_k)|² dt along the exact reverse process: the "
            "discretisation error",
        ),
        Quantity(
            "KL_prior",
            r"\mathrm{KL}(p_T\,\|\,\mathcal{N}(0,I))",
            "KL_prior",
            "KL(p_T‖N(0, I)): what starting the sampler from N(0, I) costs",
        ),
        Quantity(
            "score_error",
            r"\mathbb{E}\,\ell_{\mathrm{sm}}(\hat s;\hat\tau_\kappa)",
            "score_error",
            "E ℓ_sm(ŝ) under τ̂_κ = Σ γ_k δ(T − t_k), where the sampler evaluates the score",
        ),
        Quantity(
            "path_error",
            r"\mathbb{E}\,\|s-\hat s\|^2_{\mathrm{path}}",
            "path_error",
            "E Σ_k ∫ |s(Y_t, T − t) − ŝ(Y_{t_k}, T − t_k)|² dt along the exact reverse process",
        ),
        Quantity(
            "step_fisher",
            r"\sum_k\gamma_k^3J(T-t_k)",
            "Σ γ³J",
            "Fisher information at the evaluated times, weighted by the cubes of the steps",
        ),
        Quantity("second_moment", r"\mathbb{E}|X_0|^2", "E|X₀|²", "second moment of the data"),
        Quantity(
            "score_increment",
            r"\mathbb{E}|s_b-s_a|^2",
            "E|s_b − s_a|²",
            "mean squared change of the score along the exact reverse process, from noise time "
            "t + gap to noise time t",
        ),
        Quantity(
            "fisher_late", r"J(t)", "J(t)", "Fisher information E|∇log p_t(X_t)|² at noise time t"
        ),
        Quantity(
            "fisher_early",
            r"J(t+\mathrm{gap})",
            "J(t+gap)",
            "Fisher information at noise time t + gap, earlier in reverse time",
        ),
        Quantity(
            "fisher_integral",
            r"\int_\varepsilon^TJ(u)\,\mathrm{d}u",
            "∫J",
            "Fisher information integrated over all noise times from ε to T",
        ),
        Quantity(
            "fisher_steps",
            r"\sum_k\gamma_kJ(T-t_k)",
            "Σ γJ",
            "Fisher information at the evaluated times, weighted by the steps",
        ),
        Quantity(
            "fisher_drift",
            r"2\sum_k(1-e^{-\gamma_k})J(T-t_k)",
            "2Σ(1 − e⁻ᵞ)J",
            "Fisher information at the evaluated times, weighted by 2(1 − e^{−γ_k})",
        ),
        Quantity(
            "least_KL",
            r"\min_\kappa\mathbb{E}\,\mathrm{KL}",
            "min KL",
            "least E KL(p_ε‖q̂) over the step κ, with ε fixed and T within a step of fixed",
        ),
        Quantity(
            "least_bound",
            r"\min_\kappa\mathrm{bound}",
            "min bound",
            "least right side of Proposition 7 over the same steps κ",
        ),
        Quantity(
            "gradient_lipschitz",
            r"L",
            "L",
            "Lipschitz constant in the mean of the clipped gradient on common points, given the "
            "data; the claim's assumptions say of which gradient",
        ),
        Quantity(
            "score_sensitivity",
            r"\Lambda^2",
            "Λ²",
            "∫ E[|s_θ(X_t) − s_θ'(X_t)|² | X_0 = x] dτ ≤ Λ² |θ − θ'|² for almost every x from ν",
        ),
        Quantity(
            "parameter_radius",
            r"R",
            "R",
            "max(|θ_0|, C/λ): clipped gradients and weight decay keep |θ| below it",
        ),
        Quantity(
            "synchronous_stability",
            r"\varepsilon_{\mathrm{sync}}^2",
            "ε_sync²",
            "mean squared change of the score at the noised x̃, for synchronously coupled chains on "
            "S and Sⁱ; ε_stab² is at most this, being an infimum over couplings",
        ),
        Quantity(
            "synchronous_distance",
            r"\mathbb{E}_{\mathrm{sync}}|\Delta_K|",
            "E_sync|Δ|",
            "mean distance after K steps of the synchronously coupled chains on S and Sⁱ",
        ),
        Quantity(
            "synchronous_square",
            r"\mathbb{E}_{\mathrm{sync}}|\Delta_K|^2",
            "E_sync|Δ|²",
            "mean squared distance after K steps of the synchronously coupled chains",
        ),
        Quantity(
            "saturated_distance",
            r"x_K",
            "x_K",
            "x_K with x_0 = 0 and x⁺ = (1 − ηλ)x + (1 − B/N) η min(Lx, 2C) + 2ηC B/N",
        ),
        Quantity(
            "reflection_stability",
            r"\varepsilon_{\mathrm{refl}}^2",
            "ε_refl²",
            "mean squared change of the score at the noised x̃, for chains on S and Sⁱ coupled by "
            "reflection–maximal coupling; ε_stab² is at most this, being an infimum over couplings",
        ),
        Quantity(
            "reflection_distance",
            r"\mathbb{E}_{\mathrm{refl}}|\Delta_K|",
            "E_refl|Δ|",
            "mean distance after K steps of the chains coupled by reflection–maximal coupling",
        ),
        Quantity(
            "reflection_square",
            r"\mathbb{E}_{\mathrm{refl}}|\Delta_K|^2",
            "E_refl|Δ|²",
            "mean squared distance after K steps of the chains coupled by reflection–maximal "
            "coupling",
        ),
        Quantity(
            "reflection_cost",
            r"\mathbb{E}_{\mathrm{refl}}f(|\Delta_K|)",
            "E_refl f(|Δ|)",
            "mean of f of the distance after K steps of the same chains",
        ),
        Quantity(
            "contraction_rate",
            r"\varrho",
            "ρ",
            "E f(R') ≤ (1 − ρ) f(r) at every distance r, for the concave f with f'(0) = 1 that was "
            "found; certified",
        ),
        Quantity(
            "step_slope",
            r"\mathbb{E}F'(2\eta sZ)",
            "E F'(2ηsZ)",
            "F the odd extension of f: the largest slope of E f(R') in the distance of the means, "
            "at most f'(0) = 1",
        ),
        Quantity(
            "f_diameter",
            r"f(2R)",
            "f(2R)",
            "f at the largest distance of two points of the ball",
        ),
        Quantity(
            "tail_slope",
            r"f'(\infty)",
            "f'(∞)",
            "slope of f at large distances, where it is linear",
        ),
        Quantity("distance", r"r", "r", "distance of the two chains before a step"),
        Quantity(
            "f_now", r"f(r)", "f(r)", "the concave f at the distance of the two chains, f'(0) = 1"
        ),
        Quantity(
            "f_next",
            r"\mathbb{E}f(R')",
            "E f(R')",
            "mean of f after one step of reflection–maximal coupling from distance r",
        ),
        Quantity(
            "f_decay",
            r"\tfrac12r\kappa f'-2f''",
            "½rκf' − 2f''",
            "minus the generator of the reflected distance applied to f",
        ),
        Quantity(
            "f_floor",
            r"\varphi(R_0)r/2",
            "φ(R₀)r/2",
            "half the distance r times φ(R₀), the least slope of Eberle's f",
        ),
        Quantity(
            "eberle_rate",
            r"c",
            "c",
            "Eberle's contraction rate 1/∫₀^R₁ Φ/φ",
        ),
        Quantity(
            "best_rate",
            r"c^*",
            "c*",
            "largest rate at which some f contracts under the reflected distance",
        ),
        Quantity(
            "proxy_trace",
            r"\operatorname{tr}C(x,t)",
            "tr C",
            "trace of the proxy score's covariance: E|∇log p(x|X₀)|² − |s|² given X_t = x",
        ),
        Quantity(
            "posterior_trace",
            r"\operatorname{tr}\mathrm{Cov}(X_0|x)",
            "tr Cov(X₀|x)",
            "trace of the posterior covariance of the data given X_t = x",
        ),
        Quantity(
            "curvature_trace",
            r"d/\sigma^2+\Delta\log p_t(x)",
            "d/σ² + Δlog p",
            "what the log density bends less than that of its noise: d/σ² + Δ log p_t(x)",
        ),
        Quantity(
            "support_radius", r"r_\nu", "r_ν", "radius of a ball that holds the law's support"
        ),
        Quantity(
            "outside_moment",
            r"O(x)",
            "O(x)",
            "Σ_j (p_j/p_1) |x_j − x_1|² exp((|x − μx_1|² − |x − μx_j|²)/(2σ²)), x_1 any data point",
        ),
        Quantity(
            "averaged_variance",
            r"\mathrm{Var}\,x_\varepsilon",
            "Var x_ε",
            "variance of the samples' law averaged over training",
        ),
        Quantity(
            "effective_variance",
            r"\mathrm{Var}_{\mathrm{SDE}}\,x_\varepsilon",
            "Var_SDE x_ε",
            "variance of the samples of the effective SDE",
        ),
        Quantity(
            "flow_variance",
            r"v_\varepsilon",
            "v_ε",
            "variance of the samples of the probability flow with the averaged score, V = 0",
        ),
        Quantity(
            "accumulated_noise",
            r"\mathcal{V}",
            "𝒱",
            "∫∫ V(x, t; x', t')/(xx') dt dt' for a random slope: the V-kernel along the flow",
        ),
        Quantity(
            "naive_chain_variance",
            r"\mathrm{Var}\,x_K",
            "Var x_K",
            "variance after the last Euler step with fresh proxy scores",
        ),
        Quantity(
            "naive_variance_gap",
            r"|\mathrm{Var}\,x_K-\mathrm{Var}_{\mathrm{SDE}}\,x_\varepsilon|",
            "|Var x_K − Var_SDE x_ε|",
            "how far the variance of the naive estimator's chain is from that of its effective SDE",
        ),
        Quantity(
            "ensemble_distance",
            r"W_1(\overline p,\,p_{\mathrm{SDE}})",
            "W₁(p̄, p_SDE)",
            "W₁ (sliced in the plane) on a grid between the samples' law averaged over trained "
            "models and that of the effective SDE, whose Gaussian field has the models' mean and "
            "covariance; 30 Euler steps from 64 starts, on a grid of 100 cells",
        ),
        Quantity(
            "flow_distance",
            r"W_1(\overline p,\,p_{V=0})",
            "W₁(p̄, p_{V=0})",
            "the same distance from the flow of the averaged score, without noise",
        ),
        Quantity(
            "gap_mass",
            r"P_\kappa(|x_\varepsilon|<a/2)",
            "P_κ(|x_ε| < a/2)",
            "mass of the samples in the middle half between two data points, with fresh noise",
        ),
        Quantity(
            "gap_mass_of_flow",
            r"P_0(|x_\varepsilon|<a/2)",
            "P_0(|x_ε| < a/2)",
            "the same mass without fresh noise: the probability flow with the exact score",
        ),
        Quantity(
            "gap_mass_fitted",
            r"\overline m(N,\varepsilon)",
            "m̄(N, ε)",
            "mass that trained denoisers leave between the data points, averaged over training",
        ),
        Quantity(
            "gap_mass_noise_free",
            r"\overline m_{\mathrm{free}}(N,\varepsilon)",
            "m̄_free(N, ε)",
            "the same mass for noise-free targets: E[X₀|X_t] in place of X₀, for the same draws",
        ),
        Quantity(
            "gap_mass_fitted_more",
            r"\overline m(4N,\varepsilon)",
            "m̄(4N, ε)",
            "the same mass with four times as many training points",
        ),
        Quantity(
            "gap_mass_fitted_early",
            r"\overline m(N,\varepsilon/100)",
            "m̄(N, ε/100)",
            "the same mass with a hundredth of the early stopping time",
        ),
        Quantity("feature_count", r"F", "F", "number of features of the linear score model"),
        Quantity(
            "fitted_variance",
            r"\overline{\mathrm{Var}}\,\hat s",
            "Var ŝ",
            "variance of the fitted score over training sets, per coordinate, averaged over inputs",
        ),
        Quantity(
            "leading_variance",
            r"\overline V",
            "V̄",
            "the V-kernel of the linear model to leading order in F/N, on the diagonal, without "
            "D²: per coordinate, averaged over inputs",
        ),
        Quantity(
            "variance_excess",
            r"|\overline{\mathrm{Var}}\,\hat s-\overline V|",
            "|Var ŝ − V̄|",
            "how far the variance of the fitted score is from the V-kernel's leading order",
        ),
        Quantity(
            "trained_variance",
            r"\overline V_\tau",
            "V̄_τ",
            "the V-kernel of a wide network trained for the time τ, given the inputs, on the "
            "diagonal, without D²: integrated over λp",
        ),
        Quantity(
            "unfitted_variance",
            r"U_\tau",
            "U_τ",
            "Σ_k e^{−τν_k} M_k/N over the modes, M_k = E λ²e_k²C: what is not fitted yet",
        ),
        Quantity(
            "early_variance",
            r"\tau^2\sum_k\nu_k^2M_k/N",
            "τ²Σν²M/N",
            "τ² Σ_k ν_k² M_k/N over the kernel's modes: the variance as long as training is short",
        ),
    )
}

#: The quantities that a table of any score-stability claim shows.
TABLE_QUANTITIES = (
    "E_l_dsm",
    "E_l_dsm_hat",
    "E_l_sm",
    "E_l_sm_hat",
    "C_sm",
    "E_C_sm_hat",
    "eps_stab_squared",
)


@cache
def symbol(name: str) -> sp.Symbol:
    """Return the sympy symbol of a quantity.

    Raises
    ------
    KeyError
        If the vocabulary has no such quantity.
    """
    import sympy as sp

    return sp.Symbol(QUANTITIES[name].name, nonnegative=True)


def __getattr__(name: str) -> Any:
    if name in QUANTITIES:
        return symbol(name)
    raise AttributeError(f"module 'theory.quantities' has no attribute {name!r}")
