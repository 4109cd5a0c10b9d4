"""The backbones to choose from, as a user lists them, each with its weights."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from ftcore.errors import UsageError
from ftcore.plugins import Plugins
from ftcore.registry import parse_spec

# A comma before "key=" separates the options of one spec, not two specs.
_BETWEEN = re.compile(r",(?![A-Za-z_][A-Za-z0-9_]*=)")
DEFAULT = "auto"


def parse_candidates(
    backbones: Sequence[str], weights: Sequence[str], plugins: Plugins
) -> dict[str, str]:
    """Return the weights of each backbone, by its spec, in the order given.

    `backbones` are specs, or several separated by commas. `weights` are NAME=VALUE for the backbone
    of that spec, or a VALUE for all others. UsageError for a name that is not registered, given
    twice, or that has weights given twice; and for fewer than two backbones.
    """
    specs = [spec.strip() for text in backbones for spec in _BETWEEN.split(text) if spec.strip()]
    for spec in specs:
        plugins.entry("backbones", parse_spec(spec).name)
        if specs.count(spec) > 1:
            raise UsageError(
                f"backbone {spec!r} is in the list twice; to rank two weights of one backbone, "
                "write NAME:weights=FILE,NAME:weights=OTHER_FILE"
            )
    if len(specs) < 2:
        raise UsageError(
            f"ranking needs two backbones or more, and got {len(specs)}; "
            "write --backbones mobilenet_v2,resnet18"
        )
    chosen = _parse_weights(weights, specs)
    return {spec: chosen.get(spec, chosen[""]) for spec in specs}


def _parse_weights(texts: Sequence[str], specs: Sequence[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        longest = max((s for s in specs if text.startswith(f"{s}=")), key=len, default=None)
        if longest is not None:  # a spec may hold "=" itself
            name, value = longest, text[len(longest) + 1 :]
        elif not equals:
            name, value = "", text
        else:
            near = difflib.get_close_matches(name, specs, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f": {', '.join(specs)}"
            raise UsageError(
                f"--weights {text!r} names {name!r}, which is none of the backbones{hint}"
            )
        if not value:
            raise UsageError(f"--weights {text!r} ends without the weights; write {name}=FILE")
        if name in chosen:
            whose = f"of {name!r}" if name else "for all backbones"
            raise UsageError(f"--weights gives those {whose} twice: {chosen[name]!r}, {value!r}")
        chosen[name] = value
    return {"": DEFAULT, **chosen}
