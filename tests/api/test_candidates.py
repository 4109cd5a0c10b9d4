from __future__ import annotations

import pytest

from ftcore.api.candidates import parse_candidates
from ftcore.errors import UsageError
from ftcore.plugins import plugin_manager


@pytest.mark.parametrize(
    ("backbones", "weights", "expected"),
    [
        (["resnet18,vgg11"], [], {"resnet18": "auto", "vgg11": "auto"}),
        (["resnet18", " vgg11, "], ["none"], {"resnet18": "none", "vgg11": "none"}),
        (["resnet18,vgg11"], ["none", "vgg11=a=b.th"], {"resnet18": "none", "vgg11": "a=b.th"}),
        (
            ["resnet18:image_size=64,weights=a.th,resnet18:weights=b.th"],
            ["resnet18:weights=b.th=none"],
            {"resnet18:image_size=64,weights=a.th": "auto", "resnet18:weights=b.th": "none"},
        ),
    ],
)
def test_lists_of_specs_and_their_weights(
    backbones: list[str], weights: list[str], expected: dict[str, str]
) -> None:
    found = parse_candidates(backbones, weights, plugin_manager(load=()))
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("backbones", "weights", "words"),
    [
        (["resnet18,resnet81"], [], "unknown backbone 'resnet81'. Did you mean"),
        (["resnet18,resnet18"], [], "in the list twice"),
        (["resnet18"], [], "got 1"),
        ([" , "], [], "got 0"),
        (["resnet18,vgg11"], ["resnet81=x.th"], "did you mean 'resnet18'"),
        (["resnet18,vgg11"], ["none", "auto"], "for all backbones twice"),
        (["resnet18,vgg11"], ["vgg11=a", "vgg11=b"], "'vgg11' twice: 'a', 'b'"),
        (["resnet18,vgg11"], ["vgg11="], "ends without the weights"),
        (["resnet18:,vgg11"], [], "ends in a colon"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    backbones: list[str], weights: list[str], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        parse_candidates(backbones, weights, plugin_manager(load=()))
