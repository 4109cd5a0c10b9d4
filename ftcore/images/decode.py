"""Opens image files: whatever the format and colour mode, a uint8 tensor comes out."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ftcore.errors import DataError
from ftcore.images.pillow import from_pillow

SUFFIXES = frozenset(
    {".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"}
    | {".tif", ".tiff", ".webp"}
)
MAX_PIXELS = 1024**3 // 4 // 3  # the size above which Pillow warns of a decompression bomb

# Of these suffixes alone, since Pillow hands some other formats to programs outside, such as EPS
# to Ghostscript.
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_KNOWN = "a BMP, GIF, JPEG, PNG, PPM, TIFF or WebP image"
_ORIENTATION = 0x0112  # Exif tag
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_image(path: Path | str) -> Tensor:
    """Return the image in a file as uint8 (channels, height, width), with 1 or 3 channels.

    Grey images keep one channel, all others become RGB. The image is turned upright as its Exif
    orientation says, transparent pixels are shown on white, 16-bit greys are scaled to 8 bits, and
    of an animation the first frame is taken. Raises DataError, naming the file and the reason, for
    what is missing, empty, truncated, no image, or has more than MAX_PIXELS pixels.
    """
    with _open(Path(path)) as image:
        try:
            pixels = _to_grey_or_rgb(image)
            upright = _UPRIGHT.get(_orientation(image))
        except Exception as error:  # Pillow's decoders let damaged files raise almost anything
            reason = str(error) or type(error).__name__
            raise DataError(f"image {path} cannot be decoded: {reason}") from error
    if upright is not None:
        pixels = pixels.transpose(upright)
    return from_pillow(pixels)


def read_size(path: Path | str) -> tuple[int, int]:
    """Return (height, width) of the image that `decode_image` returns, from the file's header.

    Raises DataError as `decode_image` does, but for faults beyond the header.
    """
    with _open(Path(path)) as image:
        width, height = image.size
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


def _open(path: Path) -> Image.Image:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"image {path} cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):  # a pipe would block
        raise DataError(f"image {path} cannot be read: it is no regular file")
    if status.st_size == 0:
        raise DataError(f"image {path} is empty (0 bytes); copy it again, or delete it")
    try:
        image = Image.open(path, formats=_FORMATS)
    except UnidentifiedImageError:
        raise DataError(f"image {path} cannot be decoded: it is not {_KNOWN}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(_too_large(path)) from None
    except Exception as error:  # as above
        reason = str(error) or type(error).__name__
        raise DataError(f"image {path} cannot be read: {reason}") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise DataError(_too_large(path))
    return image


def _too_large(path: Path) -> str:
    return f"image {path} has more than {MAX_PIXELS:,} pixels; scale it down, or delete it"


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged Exif data must not cost an image that is whole
        return 1
    return value if isinstance(value, int) else 1


def _to_grey_or_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = _to_eight_bits(image)
    if image.mode == "F":
        raise ValueError("its pixels are floating-point, of unknown range; save it with 8 bits")
    is_grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        return _on_white(image, is_grey)
    return image.convert("L" if is_grey else "RGB")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    # 16-bit greys have mode I;16, or I where the format or the version of Pillow lacks that mode.
    if image.mode == "I" and image.format not in ("PNG", "PPM"):
        raise ValueError("its pixels have 32 bits, of unknown range; save it with 8 or 16 bits")
    wide = np.array(image).astype(np.uint32)
    return Image.fromarray(((wide * 255 + 32767) // 65535).astype(np.uint8))


def _on_white(image: Image.Image, is_grey: bool) -> Image.Image:
    layers = image.convert("LA" if is_grey else "RGBA")
    colour = layers.convert("L" if is_grey else "RGB")
    white = Image.new(colour.mode, colour.size, "white")
    white.paste(colour, mask=layers.getchannel("A"))
    return white
