"""What a user must know to read a ranking."""

from __future__ import annotations

from collections.abc import Sequence

from ftcore.record import RankedBackbone


def notes_of(
    ranked: Sequence[RankedBackbone], score: str, examples: int, available: int
) -> tuple[str, ...]:
    """Return a line for each thing that is not to be seen in the numbers themselves."""
    weights = [each.weights for each in ranked if each.weights is not None]
    notes = [each.note for each in weights if each.note]
    if examples < available:
        notes.append(f"scores come from {examples:,} of {available:,} examples (--examples)")
    random = [each.name for each in ranked if each.weights and each.weights.name == "random"]
    if random:
        notes.append(
            f"random weights, nothing pretrained, others for each seed: {', '.join(random)}"
        )
    without = [
        f"{each.name} ({each.undefined[score]})" for each in ranked if score in each.undefined
    ]
    if without:
        notes.append(f"no {score}: {', '.join(without)}")
    wide = [each.name for each in ranked if (each.feature_dim or 0) >= examples - 1]
    if wide:
        notes.append(
            "h_score is the number of classes less one, whatever the features, where there are as "
            f"many features as examples: {', '.join(wide)}; regularized_h_score is not"
        )
    operators = {name for each in ranked if each.cost for name in each.cost.uncounted}
    if operators:
        names = ", ".join(sorted(name.removeprefix("aten.") for name in operators))
        notes.append(f"FLOPs are of matrix products and convolutions; not counted: {names}")
    return tuple(notes)
