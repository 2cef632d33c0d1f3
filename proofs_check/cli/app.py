"""The commands and their options; what they do is imported when they are run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    name="scorecert",
    add_completion=False,
    rich_markup_mode=None,
    help="Verify, claim by claim, the theory of why diffusion models generalise.",
)

ClaimId = Annotated[str, typer.Argument(metavar="ID", help="A claim; `scorecert list` has them.")]
ClaimIds = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Argument(metavar="[ID]...", help="Claims; all of them if none is named."),
]
Effort = Annotated[
    str, typer.Option(metavar="quick|standard|deep", help="How hard to try.", show_default=True)
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of everything random.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_claims(
    steps: Annotated[bool, typer.Option("--steps", help="Show the proof steps too.")] = False,
    json: Json = False,
) -> None:
    """List the claims, and what the ledger last said of each."""
    from proofs_check.cli.listing import print_list

    print_list(steps=steps, as_json=json)


@app.command()
def show(claim_id: ClaimId) -> None:
    """Show one claim: statement, proof steps, cases, sharpness."""
    from proofs_check.cli.showing import print_claim

    print_claim(claim_id)


@app.command("cases")
def list_cases(
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(metavar="[NAME]", help="Everything about one case."),
    ] = None,
) -> None:
    """List the laws on which claims are checked; for one, its parameters and geometry."""
    from proofs_check.cli.casing import print_cases

    print_cases(name)


@app.command()
def verify(
    claim_ids: ClaimIds = None,
    case: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Only this case, or `algebra`, or `chain`."),
    ] = None,
    at_least: Annotated[
        str,
        typer.Option(metavar="proved|certified|supported", help="The least that will do."),
    ] = "supported",
    json: Json = False,
    effort: Effort = "standard",
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(metavar="N", help="Worker processes.")] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Compute anew what the ledger already holds.")
    ] = False,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="PATH", help="Write everything there, as JSON."),
    ] = None,
) -> None:
    """Check claims.

    Exit status: 0 all hold, 1 something refuted, 2 bad usage, 3 something undecided, vacuous or
    weaker than --at-least. Finished verdicts are kept in the ledger and found again by the next
    run, as long as neither the code nor its tools change.
    """
    from proofs_check.cli.verifying import run_verify

    raise typer.Exit(
        run_verify(
            claim_ids or None,
            case=case,
            at_least=at_least,
            as_json=json,
            effort=effort,
            seed=seed,
            jobs=jobs,
            fresh=fresh,
            report_path=report,
        )
    )


@app.command()
def table(
    claim_id: ClaimId,
    case: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The case; by default the first that fits."),
    ] = None,
    score: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="true|mean|plug-in", help="The score, with --case gaussian."),
    ] = None,
    grid: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="NAME=V1,V2,...", help="One row per value; may be repeated."),
    ] = None,
    set_: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", metavar="NAME=VALUE", help="The same in every row; repeatable."),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="text|csv|json|latex|md", help="How to print it.")
    ] = "text",
    effort: Effort = "standard",
    seed: Seed = 0,
) -> None:
    """Print a claim's quantities, both sides and slack on a grid.

    Parameters are the case's own, schedule (ou, vp-linear, ve, fraction), beta_min, beta_d, and
    either t (one time, or several joined by `;`, with weights joined alike) or eps and T (uniform
    time). A sampler has its own times: kappa, with L or T and m or eps. Values such as 3/10, 0.3
    and 1e-2 are kept exact.
    """
    from proofs_check.cli.tabulating import print_table

    print_table(
        claim_id,
        case=case,
        score=score,
        grids=grid or [],
        sets=set_ or [],
        form=form,
        effort=effort,
        seed=seed,
    )


@app.command()
def figure(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="denoising, toy, samplers, optimisation, variance-1 to -3 or variance-controls.",
        ),
    ],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="PATH", help="Where to; .npz and .csv of the data go beside it."),
    ] = None,
    form: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--format", metavar="png|svg|pdf", help="Repeatable; or PATH's suffix."),
    ] = None,
    effort: Effort = "standard",
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(metavar="N", help="Worker processes.")] = 1,
) -> None:
    """Draw a figure, and write its data beside it.

    Needs matplotlib: pip install "scorecert[figures]". Finished points are kept beside the ledger,
    and found again by the next run of the same code.
    """
    from proofs_check.cli.drawing import run_figure

    raise typer.Exit(
        run_figure(name, out=out, formats=form or [], effort=effort, seed=seed, jobs=jobs)
    )


@app.command()
def stability(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A .npy, .npz, .csv or .parquet file of rows, or `digits`."
        ),
    ],
    eps: Annotated[str, typer.Option(metavar="TIME", help="Early stopping time.")] = "0.01",
    horizon: Annotated[str, typer.Option("--T", metavar="TIME", help="Last time.")] = "1",
    times: Annotated[
        str,
        typer.Option(
            metavar="log:N|lin:N|T1,T2,...", help="Times in [eps, T], of equal weight in τ."
        ),
    ] = "log:20",
    schedule: Annotated[
        str, typer.Option(metavar="ou|vp-linear|ve|fraction", help="The forward process.")
    ] = "ou",
    blocks: Annotated[
        int, typer.Option(metavar="N", help="Independent replicates that the rows are cut into.")
    ] = 10,
    noise_draws: Annotated[
        int, typer.Option(metavar="N", help="Noise draws per held-out point and time.")
    ] = 8,
    seed: Seed = 0,
    confidence: Annotated[
        float, typer.Option(metavar="P", help="Probability that every interval holds.")
    ] = 0.99,
    geometry: Annotated[
        bool,
        typer.Option(
            "--geometry", help="Estimate what Proposition 6 asks of the data, and its bound."
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Measure the score stability of your own data.

    Prints ε_stab of the empirical score, brackets of C_sm, and both sides of Theorem 3 by
    held-out split, with confidence intervals. With --geometry also estimates of the diameter,
    intrinsic dimension and local mass of the data, what Proposition 6 makes of them, and the
    sharper bounds for the empirical score.
    """
    from proofs_check.cli.stability import run_stability

    run_stability(
        data,
        eps=eps,
        horizon=horizon,
        times=times,
        schedule=schedule,
        blocks=blocks,
        noise_draws=noise_draws,
        seed=seed,
        confidence=confidence,
        geometry=geometry,
        as_json=json,
    )


@app.command()
def vkernel(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A .npy, .npz, .csv or .parquet file of rows, 1 or 2 columns."
        ),
    ],
    features: Annotated[
        str,
        typer.Option(
            metavar="gaussian|fourier|fourier-distinct:NxN",
            help="The linear model; one count per column, the last for time.",
        ),
    ] = "gaussian:16x16",
    training_size: Annotated[
        int, typer.Option("--P", metavar="N", help="Draws that a model is fitted to.")
    ] = 256,
    ridge: Annotated[str, typer.Option(metavar="NUMBER", help="Of the fit, ≥ 0.")] = "0.1",
    eps: Annotated[str, typer.Option(metavar="TIME", help="Early stopping time.")] = "0.01",
    horizon: Annotated[str, typer.Option("--T", metavar="TIME", help="Last time.")] = "1",
    schedule: Annotated[
        str, typer.Option(metavar="ou|vp-linear|ve|fraction", help="The forward process.")
    ] = "vp-linear",
    times: Annotated[
        str, typer.Option(metavar="log:N|lin:N|T1,T2,...", help="Times in [eps, T] of the maps.")
    ] = "log:5",
    models: Annotated[
        int, typer.Option(metavar="N", help="Refit N models and compare; 0 for none.")
    ] = 0,
    low: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="X", help="The box's lower end; the data's, a quarter wider."),
    ] = None,
    high: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="X", help="The box's upper end; the data's, a quarter wider."),
    ] = None,
    seed: Seed = 0,
    json: Json = False,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE.npz", help="Write the maps there."),
    ] = None,
) -> None:
    """Predict how much a score learnt from your data would vary.

    For a linear denoiser fitted to P noisy draws: the variance of its score to leading order in
    1/P, maps of it and of the noise in the targets, and with --models how both forms of the
    prediction compare with models that were really refitted.
    """
    from proofs_check.cli.vkernel import run_vkernel

    run_vkernel(
        data,
        features=features,
        training_size=training_size,
        ridge=ridge,
        eps=eps,
        horizon=horizon,
        times=times,
        schedule=schedule,
        models=models,
        low=low,
        high=high,
        seed=seed,
        as_json=json,
        out=out,
    )


@app.command()
def mutants(claim_ids: ClaimIds = None, effort: Effort = "standard", seed: Seed = 0) -> None:
    """Make claims subtly false, and refute them.

    Each mutant comes with its witness, each survivor with the reason. Exit status 1 if one
    survives without a declared reason.
    """
    from proofs_check.cli.mutating import run_mutants

    raise typer.Exit(run_mutants(claim_ids or None, effort=effort, seed=seed))


@app.command(hidden=True)
def readme(
    path: Annotated[Path, typer.Argument(metavar="[PATH]", help="The file.")] = Path("README.md"),
) -> None:
    """Write the ledger's table of claims into the README, between its two markers."""
    from proofs_check.cli.listing import update_readme

    update_readme(path)
