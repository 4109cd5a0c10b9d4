"""All randomness of a run as a pure function of (seed, place), so that nothing has to be saved.

An order of examples depends on (seed, epoch), a step's dropout on (seed, epoch, batch), an
example's augmentation on (seed, epoch, example). A resumed run draws what it would have drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

# Each use draws from a stream of its own.
ORDER, STEP, EXAMPLE, MODEL, SPLIT, INTERVAL, DRAW = range(7)


def derive_seed(*parts: int) -> int:
    """Mix non-negative integers into one 63-bit seed."""
    high, low = np.random.SeedSequence(parts).generate_state(2, np.uint32)
    return int(high) << 31 | int(low) >> 1


def seed_torch(*parts: int) -> None:
    """Seed torch's generators, on every device, from the integers."""
    seed = derive_seed(*parts)
    torch.default_generator.manual_seed(seed)
    # torch.manual_seed would queue a call and a stack trace for a CUDA that nobody has started,
    # at every step.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)


def shuffled(count: int, *parts: int) -> np.ndarray:
    """Return a permutation of range(count) that depends on the integers alone."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(parts))).permutation(count)


def example_seeds(seed: int, epoch: int, indices: Sequence[int]) -> list[int]:
    """Return one seed for each example, the same in whichever batch it comes."""
    return [derive_seed(EXAMPLE, seed, epoch, int(index)) for index in indices]
