"""A weights file that tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from .models import original


@pytest.fixture(scope="session")
def weights_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a shufflenet_v2_x0_5 with seven classes."""
    path: Path = tmp_path_factory.mktemp("weights") / "shufflenet.pth"
    torch.save(original("shufflenet_v2_x0_5").state_dict(), path)
    return str(path)
