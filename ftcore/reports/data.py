"""What was found in a dataset, as a few plain lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ftcore.record import BalanceRecord, DuplicateRecord, DuplicatesRecord, ExampleRecord

SHOWN_CLASSES = 20
SHOWN = 5


def render_data(
    classes: Mapping[str, Mapping[str, int]],
    balance: BalanceRecord | None,
    duplicates: DuplicatesRecord,
) -> Iterator[str]:
    """Yield the classes, how even they are, and the copies, the first few of each by name."""
    for name, counts in list(classes.items())[:SHOWN_CLASSES]:
        yield f"  {name}: " + ", ".join(f"{n:,} {part}" for part, n in counts.items())
    if len(classes) > SHOWN_CLASSES:
        yield f"  and {len(classes) - SHOWN_CLASSES} more classes, with --json"
    if balance is not None:
        yield _balance(balance)
    groups, near = duplicates.exact, duplicates.near
    members = f"{sum(map(len, groups)):,} examples with {len(groups):,} contents"
    yield f"exact copies: {members if groups else 'none'}"
    yield from _first([" = ".join(map(_name, group)) for group in groups])
    if near is not None:
        yield f"near copies: {_pairs(near) if near else 'none'}"
        yield from _first(list(map(_pair, near)))
    for part, count in duplicates.leaked.items():
        if count.exact or count.near:
            yield f"leaked: {count.exact:,} test examples are in {part}, {count.near:,} nearly"
    if duplicates.conflicts:
        yield f"conflicts: {_pairs(duplicates.conflicts)} of copies with different labels"
        yield from _first(list(map(_conflict, duplicates.conflicts)))
    for line in duplicates.how:
        yield f"looked for: {line}"


def _balance(balance: BalanceRecord) -> str:
    largest = max(balance.shares, key=balance.shares.__getitem__)
    line = f"balance: {largest!r} has {balance.shares[largest]:.1%} of train"
    if balance.ratio is not None:
        line += f", {balance.ratio:.3g} times as much as the smallest class"
    few = [f"{name!r} ({count})" for name, count in list(balance.few.items())[:SHOWN]]
    more = ", …" if len(balance.few) > SHOWN else ""
    return line + (f"; few examples: {', '.join(few)}{more}" if few else "")


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN:,} more, with --json"


def _pairs(pairs: Sequence[DuplicateRecord]) -> str:
    return "1 pair" if len(pairs) == 1 else f"{len(pairs):,} pairs"


def _name(example: ExampleRecord) -> str:
    return f"{example.part} {example.id}"


def _pair(pair: DuplicateRecord) -> str:
    return f"{pair.likeness:.3f}  {_name(pair.one)} ~ {_name(pair.other)}"


def _conflict(pair: DuplicateRecord) -> str:
    one, other = pair.one, pair.other
    return f"{_name(one)} is {one.target!r}, {_name(other)} is {other.target!r}"
