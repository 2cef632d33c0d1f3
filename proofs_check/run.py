"""Checking many claims: what was finished before is reused, what is finished now is kept."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from proofs_check.errors import UsageError
from proofs_check.fingerprint import fingerprint
from proofs_check.ledger import Inputs, Ledger
from proofs_check.names import check_selection
from proofs_check.tainting import tainted
from proofs_check.verdict import Status, Verdict
from theory.claims import CLAIMS


@dataclass(frozen=True, slots=True)
class Selection:
    """What to check, and how hard: pairs (claim id, case name), an effort and a seed."""

    pairs: tuple[tuple[str, str], ...]
    effort: str
    seed: int

    def inputs(self, pair: tuple[str, str]) -> Inputs:
        """Return the ledger's key for one pair."""
        return Inputs(*pair, self.effort, self.seed, fingerprint())


def select(
    claim_ids: Sequence[str] | None = None,
    *,
    case: str | None = None,
    effort: str = "standard",
    seed: int = 0,
) -> Selection:
    """Return every check that the named claims have, all claims if none is named.

    Raises
    ------
    UsageError
        For an unknown name, or if nothing is left to check.
    """
    check_selection(claim_ids, case, effort, seed)
    from proofs_check import checking

    pairs = tuple(dict.fromkeys(checking.tasks(claim_ids, case)))
    if not pairs:
        whose = ", ".join(claim_ids) if claim_ids else "all claims together"
        possible = ", ".join(dict.fromkeys(name for _, name in checking.tasks(claim_ids, None)))
        raise UsageError(
            f"nothing to check: {whose} have no check on {case!r}, but on {possible or 'nothing'}"
        )
    return Selection(pairs, effort, seed)


def verify(
    claim_ids: Sequence[str] | None = None,
    *,
    case: str | None = None,
    effort: str = "standard",
    seed: int = 0,
    jobs: int = 1,
    ledger: Ledger | None = None,
    fresh: bool = False,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> tuple[Verdict, ...]:
    """Check claims, and say what may be believed.

    Parameters
    ----------
    claim_ids
        Ids of the claims; all of them if None.
    case
        Only this case; ``algebra`` and ``chain`` select what speaks of no case.
    effort
        ``quick``, ``standard`` or ``deep``.
    jobs
        Number of worker processes; the verdicts and their order do not depend on it. With more
        than one, a script must guard its own start by ``if __name__ == "__main__":``.
    ledger
        Where finished verdicts are kept, and found again by a later run of the same code with
        the same inputs. None keeps nothing.
    fresh
        Compute everything anew, whatever the ledger holds.
    on_verdict
        Called with each verdict as it is found or finished, before tainting.

    Returns
    -------
    tuple of Verdict
        In the order of the registry. Verdicts that rest on a refuted claim say so.

    Raises
    ------
    UsageError
        For an unknown claim, case or effort, a negative seed, fewer than one job, an unusable
        ledger, or if nothing is left to check.
    WorkerDied
        If a worker process was killed or ran out of memory.

    Examples
    --------
    >>> for verdict in verify(["farghly2026.theorem-3a"], case="one-point"):
    ...     print(verdict.case, verdict.status.value)
    one-point proved
    """
    selection = select(claim_ids, case=case, effort=effort, seed=seed)
    return verify_selection(selection, jobs, ledger, fresh=fresh, on_verdict=on_verdict)


def verify_selection(
    selection: Selection,
    jobs: int = 1,
    ledger: Ledger | None = None,
    *,
    fresh: bool = False,
    on_verdict: Callable[[Verdict], None] | None = None,
) -> tuple[Verdict, ...]:
    """Check what was selected; see `verify`.

    Raises
    ------
    UsageError
        For fewer than one job, or an unusable ledger.
    WorkerDied
        If a worker process was killed or ran out of memory.
    """
    if jobs < 1:
        raise UsageError(f"jobs={jobs}: the number of worker processes is an integer ≥ 1")
    if ledger is not None:
        ledger.latest()  # an unusable ledger shows now, and not after the first long check
    done: dict[tuple[str, str], Verdict] = {}
    with closing(_verdicts(selection, jobs, ledger, fresh)) as verdicts:
        for pair, verdict in verdicts:
            done[pair] = verdict
            if on_verdict is not None:
                on_verdict(verdict)
    in_order = [done[pair] for pair in selection.pairs]
    return tainted(in_order, CLAIMS, _refuted_before(ledger))


def _verdicts(
    selection: Selection, jobs: int, ledger: Ledger | None, fresh: bool
) -> Generator[tuple[tuple[str, str], Verdict]]:
    todo = []
    for pair in selection.pairs:
        known = None if ledger is None or fresh else ledger.find(selection.inputs(pair))
        if known is None:
            todo.append(pair)
        else:
            yield pair, known
    with closing(_computed(todo, selection, jobs)) as computed:
        for pair, verdict, sound in computed:
            if ledger is not None and sound:
                ledger.store(selection.inputs(pair), verdict)
            yield pair, verdict


def _computed(
    todo: Sequence[tuple[str, str]], selection: Selection, jobs: int
) -> Generator[tuple[tuple[str, str], Verdict, bool]]:
    one = partial(_check, effort=selection.effort, seed=selection.seed)
    if jobs == 1 or len(todo) < 2:
        for pair in todo:
            yield pair, *one(pair)
        return
    from proofs_check.workers import in_workers

    with closing(in_workers(one, todo, jobs)) as results:
        for pair, result in results:
            yield pair, *result


def _check(pair: tuple[str, str], *, effort: str, seed: int) -> tuple[Verdict, bool]:
    """Return the verdict, and whether it is one; a check that fails has not decided anything.

    Such an answer is not kept: the next run tries again.
    """
    from proofs_check import checking

    try:
        return checking.check(*pair, effort=effort, seed=seed), True
    except Exception as error:  # one broken check must not cost the verdicts of the others
        where = traceback.extract_tb(error.__traceback__)[-1]
        verdict = Verdict(
            *pair,
            Status.INCONCLUSIVE,
            f"the check itself failed, {type(error).__name__}: {error}",
            evidence=(
                f"a defect of scorecert, in {where.name}, {Path(where.filename).name} line "
                f"{where.lineno}: please report it",
            ),
        )
        return verdict, False


def _refuted_before(ledger: Ledger | None) -> set[str]:
    """Return the claims that this very code has refuted in an earlier run."""
    if ledger is None:
        return set()
    return {
        entry.verdict.claim
        for entry in ledger.latest().values()
        if entry.inputs.fingerprint == fingerprint() and entry.verdict.status is Status.REFUTED
    }
