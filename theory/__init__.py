"""What the papers say: claims, quantities and closed-form cases, in exact symbols.

This room imports sympy and the standard library only. ``theory.claims`` holds every claim,
``theory.cases`` every law they are checked on.

Examples
--------
>>> import theory
>>> theory.claims.get("farghly2026.theorem-3a").strength.value
'tight'
"""

from theory import cases, claims

__all__ = ["cases", "claims"]
