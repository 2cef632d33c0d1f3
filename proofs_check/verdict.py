"""What an answer is.

A verdict has no truth value: ``if verdict:`` raises, because "not refuted" and "undecided" must
never be read as "holds". Ask for ``verdict.status`` instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NoReturn


class Status(StrEnum):
    """The six possible answers, strongest first."""

    PROVED = "proved"
    CERTIFIED = "certified"
    SUPPORTED = "supported"
    INCONCLUSIVE = "inconclusive"
    VACUOUS = "vacuous"
    REFUTED = "refuted"

    @property
    def holds(self) -> bool:
        """Whether the answer is a yes, of whatever strength."""
        return self in (Status.PROVED, Status.CERTIFIED, Status.SUPPORTED)

    def at_least(self, other: Status) -> bool:
        """Whether this answer is a yes that is as strong as ``other`` or stronger."""
        order = list(Status)
        return self.holds and order.index(self) <= order.index(other)


#: What each status means, for readers of reports.
MEANING: Mapping[Status, str] = MappingProxyType(
    {
        Status.PROVED: "on the whole stated domain, by exact algebra",
        Status.CERTIFIED: "at every point of the stated boxes, by rigorous enclosure",
        Status.SUPPORTED: "numerically, within the stated error budget",
        Status.INCONCLUSIVE: "undecided; the evidence says which knob to turn",
        Status.VACUOUS: "no point meets the hypotheses",
        Status.REFUTED: "false, with a witness",
    }
)


@dataclass(frozen=True, slots=True)
class Slack:
    """How much room an inequality leaves: the least ``rhs/lhs`` met, and where."""

    ratio: float
    at: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One answer about one claim in one case.

    Attributes
    ----------
    claim, case
        The claim's id; the case's name, ``algebra`` for a statement about plain numbers, or
        ``chain`` for "the steps imply the claim".
    summary
        One line: what was shown, where, and how.
    evidence
        Further lines: certificates, boxes, error budget, what stayed undecided.
    rests_on
        What the answer depends on and does not show itself.
    false_alarm
        For sampled answers, the probability that sampling error alone produced this answer.
    witness
        For a refutation, the point and both sides.
    """

    claim: str
    case: str
    status: Status
    summary: str
    slack: Slack | None = None
    evidence: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    false_alarm: float = 0.0
    witness: str = ""
    seconds: float = 0.0

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a verdict has no truth value: ask for verdict.status, or verdict.status.holds"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Verdict:
        """Undo `to_dict`."""
        slack = data["slack"]
        return cls(
            **{
                **data,
                "status": Status(data["status"]),
                "slack": None if slack is None else Slack(**slack),
                "evidence": tuple(data["evidence"]),
                "rests_on": tuple(data["rests_on"]),
            }
        )

    def _repr_html_(self) -> str:
        from html import escape

        lines = "".join(f"<li>{escape(line)}</li>" for line in self.evidence)
        return (
            f"<b>{escape(self.claim)}</b> on {escape(self.case)}: "
            f"<b>{self.status.value}</b> — {escape(self.summary)}<ul>{lines}</ul>"
        )
