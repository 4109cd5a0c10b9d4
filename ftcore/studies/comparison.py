"""Whether one candidate is better than another on the same test examples."""

from __future__ import annotations

from collections.abc import Sequence

from ftcore.engine.paired import decide
from ftcore.interfaces import ComparableTask, Metric
from ftcore.record import ComparisonRecord, PairRecord
from ftcore.studies.candidates import Candidate, check_comparable
from ftcore.studies.pair import Pair


def compare(
    candidates: Sequence[Candidate], task: ComparableTask, metrics: Sequence[Metric]
) -> ComparisonRecord:
    """Return each candidate beside the first; p-values are Holm's over all pairs.

    Two runs are compared as they are: with another seed either might differ. Of several seeds the
    means are compared, and of folds the means over seeds. Raises DataError where the candidates
    cannot be compared, and ValueError for fewer than two.
    """
    if len(candidates) < 2:
        raise ValueError("a comparison takes two candidates or more")
    check_comparable(candidates)
    first, others = candidates[0], candidates[1:]
    columns = [
        decide([Pair(first, other, task, metric).compare() for other in others])
        for metric in metrics
    ]
    folds = [fold for fold in first.folds if fold is not None]
    return ComparisonRecord(
        task=task.name,
        examples=first.examples,
        folds=len(folds) or None,
        pairs=tuple(
            PairRecord(name=other.name, reference=first.name, differences=differences)
            for other, differences in zip(others, zip(*columns, strict=True), strict=True)
        ),
        correction="Holm" if len(others) > 1 else "none, there is one pair",
        notes=_notes(candidates),
    )


def _notes(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    first = candidates[0]
    if len(first.folds) > 1:
        return ()
    alone = [each.name for each in candidates if len(each.runs) == 1]
    if not alone:
        return ()
    return (
        f"one seed of {', '.join(alone)}: this says which of these models is better, not which "
        "way of training; a study with --seeds 5 would",
    )
