"""What a forward pass calls and holds, seen from below: each operator, and each tensor alive."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A context in which every operator is noted, and the memory of tensors added up.

    `operators` are the names of those that compute something, and do not just look at memory
    another way. `peak` is the largest size in bytes of the tensors alive at once, those `given`
    among them. Memory that an operator takes and returns within one call is not seen.
    """

    def __init__(self, given: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators: set[str] = set()
        self.bytes = self.peak = 0
        self._alive: set[int] = set()
        for tensor in given:
            self._see(tensor)

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the operator, and look at what it returns."""
        output = func(*args, **(kwargs or {}))
        if not func.is_view:
            self.operators.add(func.overloadpacket._qualified_op_name.replace("::", "."))
        for leaf in tree_leaves(output):
            if isinstance(leaf, Tensor):
                self._see(leaf)
        return output

    def _see(self, tensor: Tensor) -> None:
        if tensor.layout != torch.strided:  # it has no storage of its own
            return
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._alive:
            return
        self._alive.add(key)
        self.bytes += size
        self.peak = max(self.peak, self.bytes)
        weakref.finalize(storage, self._forget, key, size).atexit = False

    def _forget(self, key: int, size: int) -> None:
        self._alive.discard(key)
        self.bytes -= size
