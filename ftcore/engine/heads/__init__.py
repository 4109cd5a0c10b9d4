"""Many heads trained together on the same features: folds x seeds x learning rates x decays.

plan        what a head is trained on, and how; which heads can share a matrix product
linear      linear heads under cross-entropy, with the gradient in closed form
functional  any other head or loss, by torch.func
optimizer   AdamW and SGD for stacked parameters, with a rate and a decay for each head
training    the epochs, validation, early stopping, failures
selection   the best of the heads, and the grids that are searched by default
"""

from __future__ import annotations

from ftcore.engine.heads.plan import Fold, Head, grid
from ftcore.engine.heads.rows import Examples
from ftcore.engine.heads.selection import learning_rates, select, weight_decays
from ftcore.engine.heads.training import TrainedHead, train_heads

__all__ = [
    "Examples",
    "Fold",
    "Head",
    "TrainedHead",
    "grid",
    "learning_rates",
    "select",
    "train_heads",
    "weight_decays",
]
