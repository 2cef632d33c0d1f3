"""``scorecert cases``: the laws on which claims are checked, with their parameters and geometry."""

from __future__ import annotations

from proofs_check.cli.output import say
from proofs_check.names import case_named
from proofs_check.plain_text import aligned
from theory import cases
from theory.cases.case import Case
from theory.display import unicode_expression


def print_cases(name: str | None) -> None:
    """Print all the cases, a line each, or everything about one.

    Raises
    ------
    UsageError
        If there is no such case.
    """
    if name is None:
        rows = [["case", "law", "algorithm"]]
        rows += [[n, cases.get(n).law, cases.get(n).algorithm] for n in cases.NAMES]
        say(aligned(rows))
        return
    law = cases.get(case_named(name))
    say(aligned([*_facts(law), *_geometry(law)]))


def _facts(law: Case) -> list[tuple[str, str]]:
    parameters = [
        (f"--set {p.name}=", f"{p.meaning}; {p.domain.value}; {p.default} if not given")
        for p in law.parameters
    ]
    return [
        ("case", f"{law.name}: {law.title}"),
        ("law", law.law),
        ("algorithm", law.algorithm),
        *parameters,
        ("offers", ", ".join(sorted(law.offers)) or "nothing that claims ask for"),
    ]


def _geometry(law: Case) -> list[tuple[str, str]]:
    if law.geometry is None:
        return [("geometry", "none: the support is not bounded, or there is no law")]
    found = law.geometry(law.defaults)
    lengths = {
        "D_H": found.diameter,
        "c_ν": found.lower_mass,
        "r_0": found.radius_limit,
        "reach ≥": found.reach,
    }
    shown = [(name, unicode_expression(value)) for name, value in lengths.items()]
    dimension = ("d*", str(found.intrinsic_dimension))
    return [("geometry", "at the default parameters"), *shown, dimension]
