"""How many images a second each corruption changes, on one core, at 32, 96 and 224 pixels.

    python -m benchmarks.bench_corruptions --out benchmarks/results/corruptions.json

The images are made up; the time is the processor's, at severity 5, on one thread. With --sheet
PICTURE FILE it draws instead what each corruption makes of a picture: as it is, then by severity.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from statistics import median

import torch
from PIL import Image
from torch import Tensor

from benchmarks.measurement import by, interleaved, write_results
from ftcore.images.corruptions import CORRUPTIONS, Corruption
from ftcore.images.decode import decode_image
from ftcore.images.pillow import from_pillow, to_pillow
from ftcore.interfaces import SEVERITIES

SIZES = (32, 96, 224)
BATCH = {32: 64, 96: 16, 224: 4}
SECONDS = 2.0  # of one corruption


def photograph(count: int, side: int) -> Tensor:
    """Return smooth images with a little noise, (count, 3, side, side)."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 9, 9, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    noisy = smooth + 0.02 * torch.randn(smooth.shape, generator=generator)
    return (noisy.clamp(0, 1) * 255).byte()


def measure(side: int) -> list[dict[str, object]]:
    """Return a row for each corruption of images of that size."""
    count = BATCH[side]
    images, seeds = photograph(count, side), range(count)
    contestants = {name: partial(Corruption(name, 5), images, seeds) for name in CORRUPTIONS}
    times = interleaved(contestants, by(time.process_time), SECONDS)
    return [
        {
            "corruption": name,
            "pixels": side,
            "threads": torch.get_num_threads(),
            "images_per_s": count / median(times[name]),
            "rounds": len(times[name]),
        }
        for name in CORRUPTIONS
    ]


def draw(picture: Path, side: int = 224) -> Image.Image:
    """Return a sheet: a row for each corruption, a column for each severity."""
    pillow = to_pillow(decode_image(picture)).resize((side, side), Image.Resampling.BILINEAR)
    image = from_pillow(pillow)[None]
    rows = [
        torch.cat([image, *(Corruption(name, each)(image, [7]) for each in SEVERITIES)], dim=-1)
        for name in CORRUPTIONS
    ]
    return to_pillow(torch.cat(rows, dim=-2)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="", help="JSON file to write")
    parser.add_argument("--sheet", nargs=2, type=Path, metavar=("PICTURE", "FILE"))
    options = parser.parse_args()
    if options.sheet:
        draw(options.sheet[0]).save(options.sheet[1])
        return
    rows = [row for side in SIZES for row in measure(side)]
    for row in rows:
        print(f"{row['pixels']:>4}  {row['corruption']:<18} {row['images_per_s']:8.0f} images/s")
    write_results(options.out, rows)


if __name__ == "__main__":
    main()
