"""What a run is held against on its own test examples: cheaper ways to the same outputs.

choice      which baselines a run gets, and why not the others
work        what a run and training everything take, in multiplications
features    what the pretrained backbone makes of the examples, before training moves it
neighbours  k-NN on these features
probe       the task's head on these features
scratch     everything trained from random weights
gains       what the run added over each
"""

from __future__ import annotations

from ftcore.engine.baselines.gains import Gains, find_gains
from ftcore.engine.baselines.making import Baselines, make_after, make_before

__all__ = ["Baselines", "Gains", "find_gains", "make_after", "make_before"]
