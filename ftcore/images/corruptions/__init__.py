"""The 15 common corruptions of images, at five severities."""

from __future__ import annotations

from ftcore.images.corruptions.corruption import CORRUPTIONS, Corruption

__all__ = ["CORRUPTIONS", "Corruption"]
