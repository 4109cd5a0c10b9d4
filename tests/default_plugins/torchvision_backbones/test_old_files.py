"""State dicts of other sizes, and of older versions of torchvision."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from ftcore import DataError
from ftcore.default_plugins.torchvision_backbones.transformer import interpolate_vit

from .models import create, original, skip_initialisation


def _vit(grid: int) -> dict[str, torch.Tensor]:
    rows, columns = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    places = torch.stack([rows, columns, 10 * rows + columns], dim=-1).reshape(1, -1, 3)
    class_token = torch.full((1, 1, 3), 99.0)
    return {
        "conv_proj.weight": torch.ones(3, 3, 16, 16),
        "encoder.pos_embedding": torch.cat([class_token, places.float()], dim=1),
    }


def test_position_embeddings_are_interpolated() -> None:
    given = _vit(grid=14)
    embeddings = interpolate_vit(given, 64)["encoder.pos_embedding"]
    assert embeddings.shape == (1, 1 + 4 * 4, 3)
    assert embeddings[0, 0].tolist() == [99, 99, 99]
    corners = embeddings[0, 1:].reshape(4, 4, 3)[::3, ::3]
    expected = torch.tensor([[[0, 0, 0], [0, 13, 13]], [[13, 0, 130], [13, 13, 143]]])
    torch.testing.assert_close(corners, expected.float(), atol=1e-4, rtol=0)
    assert given["encoder.pos_embedding"].shape == (1, 1 + 14 * 14, 3)


def test_position_embeddings_of_the_same_size_stay() -> None:
    given = _vit(grid=4)
    embeddings = interpolate_vit(given, 64)["encoder.pos_embedding"]
    assert torch.equal(embeddings, given["encoder.pos_embedding"])


@pytest.mark.parametrize(
    "change",
    [
        {"encoder.pos_embedding": torch.ones(1, 1 + 15, 3)},
        {"encoder.pos_embedding": torch.ones(1, 1, 3)},
        {"encoder.pos_embedding": torch.ones(2, 17, 3)},
        {"encoder.pos_embedding": torch.ones(3)},
        {"conv_proj.weight": torch.ones(3, 3, 16, 0)},
        {"conv_proj.weight": torch.ones(3)},
    ],
)
def test_state_of_no_vit_is_left_to_loading(change: dict[str, torch.Tensor]) -> None:
    given = _vit(grid=2) | change
    assert interpolate_vit(given, 64) is given


@torch.no_grad()
def test_vit_of_another_size_and_version_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Before torchvision 0.13 the layers of an MLP were linear_1 and linear_2.
    skip_initialisation(monkeypatch)
    path = tmp_path / "vit.pth"
    state = original("vit_b_32", image_size=128).state_dict()
    old_names = {"mlp.0.": "mlp.linear_1.", "mlp.3.": "mlp.linear_2."}
    pattern = re.compile("|".join(map(re.escape, old_names)))
    torch.save({pattern.sub(lambda m: old_names[m[0]], k): v for k, v in state.items()}, path)
    parameters = create("vit_b_32:image_size=64", weights=str(path)).named_parameters()
    key = "encoder.layers.encoder_layer_2.mlp.3.weight"
    assert torch.equal(parameters["layer3.mlp.3.weight"], state[key])
    assert torch.equal(parameters["embed.class_token"], state["class_token"])
    assert parameters["embed.pos_embedding"].shape == (1, 1 + 2 * 2, 768)
    with pytest.raises(DataError, match=r"conv_proj\.weight is \(768, 3, 32, 32\)"):
        create("vit_b_16:image_size=64", weights=str(path))


@torch.no_grad()
def test_densenet_of_an_older_version_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "densenet.pth"
    state = original("densenet121").state_dict()
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))(\d)\.")
    old = {pattern.sub(r"\1.\2.", key): value for key, value in state.items()}
    assert old.keys() != state.keys()
    torch.save(old, path)
    parameters = create("densenet121", weights=str(path)).named_parameters()
    for key, value in parameters.items():
        if not key.startswith("stem"):
            assert torch.equal(value, state[f"features.{key.partition('.')[2]}"])
