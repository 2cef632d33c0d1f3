"""All rows, in the order of the table."""

from __future__ import annotations

from benchmarks import (
    box_rows,
    chain_rows,
    density_rows,
    sampler_rows,
    score_rows,
    stability_rows,
    startup_rows,
    variance_rows,
)

ROWS = (
    *score_rows.ROWS,
    *stability_rows.ROWS,
    *sampler_rows.ROWS,
    *density_rows.ROWS,
    *chain_rows.ROWS,
    *variance_rows.ROWS,
    *box_rows.ROWS,
    *startup_rows.ROWS,
)
