from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ftcore import DataError, decode_image
from ftcore.images.decode import MAX_PIXELS, read_size

RED, BLUE = (255, 0, 0), (0, 0, 255)


def _new(mode: str, colour: Any) -> Image.Image:
    return Image.new(mode, (3, 2), colour)


def _palette(**info: Any) -> Image.Image:
    image = Image.new("P", (3, 2), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.info.update(info)
    return image


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("grey.png", _new("L", 7), [7]),
        ("bit.png", _new("1", 1), [255]),
        ("rgb.bmp", _new("RGB", (1, 2, 3)), [1, 2, 3]),
        ("rgb.ppm", _new("RGB", (1, 2, 3)), [1, 2, 3]),
        ("rgb.tif", _new("RGB", (1, 2, 3)), [1, 2, 3]),
        ("palette.png", _palette(), [255, 0, 0]),
        ("palette.gif", _palette(), [255, 0, 0]),
        ("clear palette.gif", _palette(transparency=1), [255, 255, 255]),
        ("clear palette.png", _palette(transparency=1), [255, 255, 255]),
        ("half clear.png", _new("RGBA", (255, 0, 0, 128)), [255, 127, 127]),
        ("half clear.webp", _new("RGBA", (255, 255, 255, 128)), [255, 255, 255]),
        ("half clear grey.png", _new("LA", (0, 128)), [127]),
        ("opaque.png", _new("RGBA", (9, 8, 7, 255)), [9, 8, 7]),
        ("ycbcr.tif", _new("YCbCr", (128, 128, 128)), [128, 128, 128]),
        ("größe \N{SNOWMAN}\n.png", _new("L", 7), [7]),
        ("no suffix", _new("L", 7), [7]),
    ],
)
def test_mode(tmp_path: Path, name: str, image: Image.Image, expected: list[int]) -> None:
    path = tmp_path / name
    options = {"transparency": 1} if image.info else {}
    image.save(path, format=None if path.suffix else "PNG", **options)
    decoded = decode_image(path)
    assert decoded.dtype == torch.uint8
    assert decoded.shape == (len(expected), 2, 3)
    assert decoded[:, 1, 2].tolist() == expected
    assert read_size(path) == (2, 3)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "x.jpg")
    pixel = decode_image(tmp_path / "x.jpg")[:, 8, 8].int()
    assert (pixel - torch.tensor(RED)).abs().max() <= 3


def test_first_frame_of_an_animation(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in (RED, BLUE)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert decode_image(tmp_path / "x.gif")[:, 0, 0].tolist() == list(RED)


@pytest.mark.parametrize("name", ["x.png", "x.tif", "x.pgm"])
def test_sixteen_bits(tmp_path: Path, name: str) -> None:
    values = np.array([[0, 128, 129, 257, 256 * 128, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / name)
    assert decode_image(tmp_path / name).tolist() == [[[0, 0, 1, 1, 128, 255]]]


@pytest.mark.parametrize(
    ("orientation", "upright"),
    [
        (1, lambda a: a),
        (2, np.fliplr),
        (3, lambda a: np.rot90(a, 2)),
        (4, np.flipud),
        (5, np.transpose),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: np.rot90(np.transpose(a), 2)),
        (8, np.rot90),
        (0, lambda a: a),
        (9, lambda a: a),
    ],
)
def test_exif_orientation(
    tmp_path: Path, orientation: int, upright: Callable[[Any], np.ndarray]
) -> None:
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(stored).save(tmp_path / "x.png", exif=exif)
    expected = upright(stored)
    assert decode_image(tmp_path / "x.png")[0].tolist() == expected.tolist()
    assert read_size(tmp_path / "x.png") == expected.shape


@pytest.mark.parametrize("exif", [b"Exif\0\0rubbish", b"Exif\0\0II*\0\xff\xff\xff\xff", b"\0"])
@pytest.mark.filterwarnings("ignore:.*EXIF:UserWarning")
def test_damaged_exif_does_not_cost_the_image(tmp_path: Path, exif: bytes) -> None:
    Image.new("L", (8, 8), 50).save(tmp_path / "x.jpg", exif=exif)
    assert decode_image(tmp_path / "x.jpg").shape == (1, 8, 8)


def _jpeg() -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG")
    return buffer.getvalue()


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


HOSTILE = {
    "truncated.jpg": (_jpeg()[:1500], "truncated"),
    "cut in the header.jpg": (_jpeg()[:20], "is not a BMP, GIF, JPEG"),
    "empty.png": (b"", "is empty"),
    "text.jpg": (b"not an image at all\n" * 9, "is not a BMP, GIF, JPEG"),
    "page.gif": (b"<!DOCTYPE html><title>404</title>", "is not a BMP, GIF, JPEG"),
    "postscript.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not a BMP"),
    "no pixels.png": (_png(8, 8), "cannot be decoded"),
    "wrong checksum.png": (_png(8, 8)[:30] + b"\xff" + _png(8, 8)[31:], "image"),
    "bomb.png": (_png(60_000, 60_000), "more than 89,478,485 pixels"),
    "bomb of zero.gif": (b"GIF89a\0\0\0\0\0\0\0", "cannot be"),
    "tiff without end.tif": (b"II*\0\x08\0\0\0\xff\xff", "image"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.filterwarnings("ignore:Truncated File Read:UserWarning")
def test_hostile_file(tmp_path: Path, name: str) -> None:
    content, reason = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        decode_image(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bomb_below_pillows_error(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(_png(MAX_PIXELS // 1000 + 1, 1000))
    with pytest.raises(DataError, match="more than"):
        decode_image(tmp_path / "x.png")


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_pixels_of_unknown_range(tmp_path: Path, kind: type) -> None:
    Image.fromarray(np.zeros((2, 2), kind)).save(tmp_path / "x.tif")
    with pytest.raises(DataError, match=r"x\.tif .* of unknown range; save it with 8"):
        decode_image(tmp_path / "x.tif")


def test_path_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in [
        ("missing.png", "No such file"),
        ("dangling.png", "No such file"),
        ("pipe.png", "no regular file"),
        ("", "no regular file"),
    ]:
        with pytest.raises(DataError, match=reason):
            decode_image(tmp_path / name)


@pytest.mark.shared_data
def test_gif_among_photographs(shared_data: Path) -> None:
    path = shared_data / "hymenoptera/hymenoptera_data/train/ants/imageNotFound.gif"
    decoded = decode_image(path)
    assert decoded.shape == (3, *read_size(path))
    assert decoded.float().std() > 0
