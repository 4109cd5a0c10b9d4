from __future__ import annotations

from pathlib import Path

import pytest
from ftcore_example.backbone import make_backbone, make_model
from safetensors.torch import save_file

from ftcore import UsageError
from ftcore.testing import check_backbone


@pytest.mark.parametrize(("weights", "width"), [("auto", 16), ("none", 3)])
def test_it_keeps_the_contract(weights: str, width: int) -> None:
    check_backbone(make_backbone(weights, 32, width))


def test_cut_into_stages_it_equals_the_whole_model(tmp_path: Path) -> None:
    model = make_model(4)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    backbone = make_backbone(str(tmp_path / "model.safetensors"), 32, 4)
    assert backbone.weights.is_pretrained
    check_backbone(backbone, original=model)


@pytest.mark.parametrize(("weights", "width"), [("imagenet", 16), ("none", 0)])
def test_what_it_cannot_be_is_refused(weights: str, width: int) -> None:
    with pytest.raises(UsageError, match="tiny_convnet"):
        make_backbone(weights, 32, width)
