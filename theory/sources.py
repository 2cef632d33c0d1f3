"""The papers that the claims come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paper:
    """A bibliographic entry."""

    key: str
    authors: str
    title: str
    venue: str
    arxiv: str = ""

    def __str__(self) -> str:
        tail = f", arXiv {self.arxiv}" if self.arxiv else ""
        return f"{self.authors}, “{self.title}”, {self.venue}{tail}"


PAPERS: dict[str, Paper] = {
    paper.key: paper
    for paper in (
        Paper(
            "farghly2026",
            "Farghly, Rebeschini, Deligiannidis, Doucet",
            "Implicit regularisation in diffusion models: an algorithm-dependent "
            "generalisation analysis",
            "ICLR 2026",
            "2507.03756",
        ),
        Paper(
            "benton2024",
            "Benton, De Bortoli, Doucet, Deligiannidis",
            "Nearly d-linear convergence bounds for diffusion models via stochastic localization",
            "ICLR 2024",
            "2308.03686",
        ),
        Paper(
            "vincent2011",
            "Vincent",
            "A connection between score matching and denoising autoencoders",
            "Neural Computation 23(7), 2011",
        ),
        Paper(
            "wang1997",
            "Wang",
            "Logarithmic Sobolev inequalities on noncompact Riemannian manifolds",
            "Probability Theory and Related Fields 109, 1997",
        ),
        Paper(
            "eberle2016",
            "Eberle",
            "Reflection couplings and contraction rates for diffusions",
            "Probability Theory and Related Fields 166, 2016",
            "1305.1233",
        ),
        Paper(
            "vastola2025",
            "Vastola",
            "Generalization through variance: how noise shapes inductive biases in "
            "diffusion models",
            "ICLR 2025",
            "2504.12532",
        ),
    )
}
