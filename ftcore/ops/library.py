"""The torch library that every op of ftcore is defined in.

An op's schema, its fake and its pure-torch reference are registered in the op's own file, the
reference for every device. A native kernel is registered for its device's dispatch key, under the
same schema, and torch's dispatcher prefers it from then on; nothing else has to know.
"""

from __future__ import annotations

from torch.library import Library

LIBRARY = Library("ftcore", "DEF")  # type: ignore[no-untyped-call]
