"""What computers measure: float64 kernels, each with its error.

This room imports numpy, scipy and numba only. The names below are loaded on first use, because
compiled kernels are slow to import.

Examples
--------
>>> import numerics
>>> float(numerics.log_density([[0.0]], [[0.0]], mu=1.0, sigma=1.0)[0]).__round__(12)
-0.918938533205
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numerics.add_one import add_one_changes
    from numerics.chain_models import GaussianMean, LinearFeatures, TwoWells
    from numerics.chain_user_model import UserModel
    from numerics.chains import ball_radius, run_pairs
    from numerics.clipped_step import ClippedStep
    from numerics.denoiser_flow import flow, true_flow
    from numerics.density import transport_density
    from numerics.density_2d import transport_density_2d
    from numerics.distance_chain import distance_moments
    from numerics.empirical import (
        empirical_score,
        log_density,
        posterior_covariance,
        posterior_moments,
    )
    from numerics.feature_fits import fit_denoisers
    from numerics.features import TensorFeatures, fourier_features, gaussian_features
    from numerics.gaussian_samplers import gaussian_sampler_losses
    from numerics.neural_tangent import ReluTangentKernel, tangent_eigensystem
    from numerics.noise_levels import NoiseLevels
    from numerics.optimal_distance import optimal_distance_1d
    from numerics.orders import measured_order
    from numerics.plug_in import plug_in_losses
    from numerics.proxy_score import proxy_score_covariance, relative_variance
    from numerics.random_fields import field_samples, gaussian_weights
    from numerics.reflection_coupling import best_concave_function
    from numerics.replace_one import replace_one_stability
    from numerics.replicates import evaluate_replicates
    from numerics.sampler_score import EmpiricalScore
    from numerics.sampler_times import two_phase_times
    from numerics.samplers import sample_reverse
    from numerics.schedules import schedule_named
    from numerics.score_changes import score_changes
    from numerics.stability import score_stability
    from numerics.v_kernel import population_matrices, weight_covariance

_HOME = {
    "empirical_score": "numerics.empirical",
    "log_density": "numerics.empirical",
    "posterior_covariance": "numerics.empirical",
    "posterior_moments": "numerics.empirical",
    "score_stability": "numerics.stability",
    "plug_in_losses": "numerics.plug_in",
    "evaluate_replicates": "numerics.replicates",
    "add_one_changes": "numerics.add_one",
    "replace_one_stability": "numerics.replace_one",
    "two_phase_times": "numerics.sampler_times",
    "EmpiricalScore": "numerics.sampler_score",
    "sample_reverse": "numerics.samplers",
    "measured_order": "numerics.orders",
    "gaussian_sampler_losses": "numerics.gaussian_samplers",
    "transport_density": "numerics.density",
    "transport_density_2d": "numerics.density_2d",
    "run_pairs": "numerics.chains",
    "ball_radius": "numerics.chains",
    "NoiseLevels": "numerics.noise_levels",
    "GaussianMean": "numerics.chain_models",
    "TwoWells": "numerics.chain_models",
    "LinearFeatures": "numerics.chain_models",
    "UserModel": "numerics.chain_user_model",
    "score_changes": "numerics.score_changes",
    "optimal_distance_1d": "numerics.optimal_distance",
    "ClippedStep": "numerics.clipped_step",
    "best_concave_function": "numerics.reflection_coupling",
    "distance_moments": "numerics.distance_chain",
    "schedule_named": "numerics.schedules",
    "TensorFeatures": "numerics.features",
    "gaussian_features": "numerics.features",
    "fourier_features": "numerics.features",
    "fit_denoisers": "numerics.feature_fits",
    "flow": "numerics.denoiser_flow",
    "true_flow": "numerics.denoiser_flow",
    "population_matrices": "numerics.v_kernel",
    "weight_covariance": "numerics.v_kernel",
    "gaussian_weights": "numerics.random_fields",
    "field_samples": "numerics.random_fields",
    "ReluTangentKernel": "numerics.neural_tangent",
    "tangent_eigensystem": "numerics.neural_tangent",
    "proxy_score_covariance": "numerics.proxy_score",
    "relative_variance": "numerics.proxy_score",
}

__all__ = [
    "ClippedStep",
    "EmpiricalScore",
    "GaussianMean",
    "LinearFeatures",
    "NoiseLevels",
    "ReluTangentKernel",
    "TensorFeatures",
    "TwoWells",
    "UserModel",
    "add_one_changes",
    "ball_radius",
    "best_concave_function",
    "distance_moments",
    "empirical_score",
    "evaluate_replicates",
    "field_samples",
    "fit_denoisers",
    "flow",
    "fourier_features",
    "gaussian_features",
    "gaussian_sampler_losses",
    "gaussian_weights",
    "log_density",
    "measured_order",
    "optimal_distance_1d",
    "plug_in_losses",
    "population_matrices",
    "posterior_covariance",
    "posterior_moments",
    "proxy_score_covariance",
    "relative_variance",
    "replace_one_stability",
    "run_pairs",
    "sample_reverse",
    "schedule_named",
    "score_changes",
    "score_stability",
    "tangent_eigensystem",
    "transport_density",
    "transport_density_2d",
    "true_flow",
    "two_phase_times",
    "weight_covariance",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'numerics' has no attribute {name!r}")
