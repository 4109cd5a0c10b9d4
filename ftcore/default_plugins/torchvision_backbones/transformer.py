"""Cuts the vision transformers: ViT and Swin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ftcore import Stage

from .cut import Cut, chain

if TYPE_CHECKING:
    from torch import Tensor


def cut_vit(model: Any) -> Cut:
    """Return the embedding, a stage for each encoder layer, and the normed class token."""
    layers = enumerate(model.encoder.layers, start=1)
    stages = (
        Stage("embed", _Embedding(model)),
        *(Stage(f"layer{number}", layer) for number, layer in layers),
        chain("norm", {"ln": model.encoder.ln, "class_token": _ClassToken()}),
    )
    return Cut(stages, model.heads.head, model.heads.head.in_features)


def interpolate_vit(state: dict[str, Tensor], size: int) -> dict[str, Tensor]:
    """Return `state` with its position embeddings interpolated to images of `size` pixels.

    What is no state of a ViT comes back as it is: loading it says what is wrong.
    """
    from torchvision.models.vision_transformer import interpolate_embeddings

    patches, positions = state.get("conv_proj.weight"), state.get("encoder.pos_embedding")
    if patches is None or patches.ndim != 4 or positions is None or positions.ndim != 3:
        return state
    patch, places = patches.shape[-1], positions.shape[1] - 1
    if patch == 0 or places < 1 or math.isqrt(places) ** 2 != places or len(positions) != 1:
        return state
    return dict(interpolate_embeddings(size, patch, dict(state)))


def cut_swin(model: Any) -> Cut:
    """Return the patch embedding, stage1 to stage4 and the pool of a Swin transformer.

    From stage2 on a stage starts with the layer that merges patches.
    """
    features = model.features
    top = ("norm", "permute", "avgpool", "flatten")
    stages = (
        Stage("embed", features[0]),
        *(Stage(f"stage{i + 1}", features[max(1, 2 * i) : 2 * i + 2]) for i in range(4)),
        chain("pool", {name: model.get_submodule(name) for name in top}),
    )
    return Cut(stages, model.head, model.head.in_features)


class _Embedding(nn.Module):
    """Embeds patches, puts the class token before them, and adds their positions.

    Images (N, 3, H, W) to tokens (N, 1 + patches, D).
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.conv_proj = model.conv_proj
        self.class_token = model.class_token
        self.pos_embedding = model.encoder.pos_embedding
        self.dropout = model.encoder.dropout

    def forward(self, images: Tensor) -> Tensor:
        patches = self.conv_proj(images).flatten(2).permute(0, 2, 1)  # (N, patches, D)
        class_token = self.class_token.expand(len(images), -1, -1)
        tokens = torch.cat([class_token, patches], dim=1)
        return self.dropout(tokens + self.pos_embedding)  # type: ignore[no-any-return]


class _ClassToken(nn.Module):
    """Takes the class token: (N, tokens, D) to (N, D)."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]
