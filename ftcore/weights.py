"""Reads and loads state dicts, without ever running what a weights file may hold."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcore.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor, nn

_TORCH_SUFFIXES = (".pth", ".pt", ".th", ".bin")
_WRAPPERS = ("state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.")  # put before each name by DataParallel and torch.compile


def read_state_dict(path: Path) -> tuple[dict[str, Tensor], str]:
    """Read the tensors of a .safetensors, .pth, .pt, .th or .bin file, and the file's SHA-256.

    The tensors come on the CPU, by name. A state dict under the key "state_dict" or "model" is
    taken out of it, and a "module." or "_orig_mod." that starts every name is left off.
    Raises DataError for a file that is missing, damaged, not a state dict, or that holds
    anything but plain tensors and containers: such a file could run code, and is never unpickled.
    """
    suffix = path.suffix.lower()
    if suffix != ".safetensors" and suffix not in _TORCH_SUFFIXES:
        known = ", ".join(_TORCH_SUFFIXES)
        raise DataError(f"{path} is no weights file: its name must end in .safetensors, {known}")
    digest = _sha256(path)
    content = _read_safetensors(path) if suffix == ".safetensors" else _read_torch(path)
    return _state_dict(content, path), digest


def load_state_dict(module: nn.Module, state: Mapping[str, Tensor], source: object) -> None:
    """Copy `state` into `module`, which must have exactly these tensors, of these shapes.

    `source` says in an error where the state came from. Raises DataError naming what is missing,
    left over, or of another shape or kind; the module is then only partly loaded.
    """
    own = module.state_dict()
    misfits = [name for name in own if name in state and not _fits(state[name], own[name])]
    fitting = {name: tensor for name, tensor in state.items() if name not in misfits}
    try:
        missing, unexpected = module.load_state_dict(fitting, strict=False)
    except RuntimeError as error:  # modules may rename old keys, then find another shape
        raise DataError(f"{source} does not fit {type(module).__name__}: {error}") from error
    parts = [
        _count("missing", [name for name in missing if name not in misfits]),
        _count("unexpected", unexpected),
        _count("different", [_difference(name, state[name], own[name]) for name in misfits]),
    ]
    if any(parts):
        raise DataError(
            f"{source} does not fit {type(module).__name__}: {'; '.join(filter(None, parts))}. "
            "Give weights that were saved from this architecture."
        )


def _sha256(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is a folder or a device, not a file: give a weights file")
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            size = file.tell()
    except FileNotFoundError:
        raise DataError(f"there is no weights file {path}") from None
    except OSError as error:
        raise DataError(f"cannot read the weights file {path}: {error.strerror}") from None
    if size == 0:
        raise DataError(f"{path} is empty (0 bytes): copy or download it again")
    return digest.hexdigest()


def _read_safetensors(path: Path) -> object:
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except Exception as error:  # a border: whatever a damaged file makes the reader raise
        raise DataError(
            f"{path} is damaged or no safetensors file ({error}): copy or download it again"
        ) from error


def _read_torch(path: Path) -> object:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats, which are read or refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a border: a hostile file can make the unpickler raise anything
        objects = _python_objects(path)
        if objects:
            raise DataError(
                f"{path} holds Python objects besides tensors ({_some(objects)}); loading them "
                "could run code, so it is refused. Save the state dict alone, as with "
                "torch.save(model.state_dict(), …)."
            ) from error
        raise DataError(
            f"{path} is damaged or no state dict that can be read without running code: copy or "
            "download it again, or save it anew with torch.save(model.state_dict(), …)"
        ) from error


def _python_objects(path: Path) -> list[str]:
    import torch

    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(str(path)))
    except Exception:  # a border: only archives that are whole can be looked into
        return []


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    from torch import Tensor

    while isinstance(content, Mapping):
        inner = [content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)]
        if not inner:
            break
        content = inner[0]
    if not isinstance(content, Mapping):
        raise DataError(f"{path} holds a {type(content).__name__}, not a state dict")
    if not content:
        raise DataError(f"{path} holds a state dict without any tensor")
    others = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if others or not all(isinstance(key, str) for key in content):
        raise DataError(
            f"{path} is no state dict, which maps names to tensors, nor has it one under "
            f"{' or '.join(map(repr, _WRAPPERS))}; among its keys: {_some(others or content)}"
        )
    return {name: tensor.detach() for name, tensor in _without_prefixes(content).items()}


def _without_prefixes(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            stripped = {name.removeprefix(prefix): value for name, value in state.items()}
            return _without_prefixes(stripped)
    return state


def _fits(given: Tensor, own: Tensor) -> bool:
    return given.shape == own.shape and given.is_floating_point() == own.is_floating_point()


def _difference(name: str, given: Tensor, own: Tensor) -> str:
    if given.shape != own.shape:
        return f"{name} is {tuple(given.shape)}, not {tuple(own.shape)}"
    return f"{name} is {given.dtype}, not {own.dtype}"


def _count(kind: str, items: Sequence[str]) -> str:
    return f"{len(items)} {kind} ({_some(items)})" if items else ""


def _some(items: Sequence[str] | Mapping[Any, Any]) -> str:
    shown = [str(item) for item in items][:3]
    return ", ".join(shown) + (", …" if len(items) > len(shown) else "")
