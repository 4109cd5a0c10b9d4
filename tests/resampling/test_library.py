"""The native library: the same numbers as NumPy, and what happens where it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftcore import resampling
from ftcore._native.build import RESAMPLE
from ftcore.resampling import library, reference
from tests.native.process import run
from tests.resampling.data import Floats, bits, scored

PLAIN = cast(library.Functions, reference)
FUNCTIONS = ("bootstrap_auroc", "bootstrap_average_precision", "permute_auroc")


def all_of_it(functions: library.Functions, scores: Floats, units: int, threads: int) -> bytes:
    """Return the bytes of everything the functions make of some scores."""
    plan = functions.plan(units, 1, 7, 99, threads)
    unit = np.arange(len(scores)) % units
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    is_positive = np.arange(len(scores)) % 3 == 0
    entries = (unit[order] << 2 | is_last << 1 | is_positive[order]).astype(np.uint32)[None]
    of_units = np.resize(scores, (units, 2)) / 3
    parts = [getattr(functions, name)(entries, plan) for name in FUNCTIONS[:2]]
    halved = functions.plan(-(-units // 2), 1, 7, 99, threads)
    parts.append(functions.permute_auroc(entries, halved))
    parts.append(functions.bootstrap_ratio(of_units, of_units[::-1].copy(), plan))
    pair = np.ascontiguousarray(of_units.T)
    parts.append(functions.permute_ratio(pair, pair + 1, plan))
    return b"".join(map(bits, [*parts, functions.draws(plan), functions.swaps(plan)]))


@pytest.mark.parametrize("units", [1, 300, 66_000])  # of more than 65,535 counts take 32 bits
@pytest.mark.parametrize("has_ties", [False, True])
def test_numbers_are_those_of_numpy_for_any_threads(
    native: library.Functions, units: int, has_ties: bool
) -> None:
    scores = scored(units + 50, has_ties=has_ties)[0]
    expected = all_of_it(PLAIN, scores, units, 1)
    for threads in (1, 2, 9):
        assert all_of_it(native, scores, units, threads) == expected


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([-1e300, -0.5, 0.0, 0.1, 7.0, 1e300]), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_numbers_are_those_of_numpy_for_any_scores(scores: list[float], units: int) -> None:
    if not library.kernel().is_native:
        pytest.skip(f"no native kernel: {library.kernel().why}")
    both = library.functions(), PLAIN
    native, plain = (all_of_it(each, np.array(scores), units, 2) for each in both)
    assert native == plain


def test_entries_of_no_unit_are_refused(native: library.Functions) -> None:
    plan = native.plan(2, 0, 1, 0, 1)
    with pytest.raises(ValueError, match="a unit that does not exist"):
        native.bootstrap_auroc(np.array([[2 << 2]], np.uint32), plan)


CHECKSUM = """
from ftcore import resampling
import numpy as np, zlib
scores = np.sin(np.arange(1000.0) ** 2)
values = resampling.bootstrap_average_precision(scores, np.arange(1000) % 3 == 0, 50, 2**63 + 5)
print(resampling.kernel().is_native, zlib.crc32(values.tobytes()))
"""


@pytest.mark.usefixtures("native")
def test_every_instruction_set_draws_the_same() -> None:
    native = {run(CHECKSUM, ATEN_CPU_CAPABILITY=name).stdout for name in ("", "avx2", "default")}
    plain = run(CHECKSUM, FTCORE_KERNEL="torch").stdout
    assert native == {plain.replace("False", "True")}


STATUS = "import sys; from ftcore import resampling; print(resampling.kernel())"


def test_it_imports_no_torch() -> None:
    code = f"{STATUS}; resampling.draws(3, 1, 0); print('torch' in sys.modules)"
    assert run(code).stdout.splitlines()[-1] == "False"


def test_numpy_can_be_asked_for() -> None:
    assert run(STATUS, FTCORE_KERNEL="torch").stdout == "NumPy (FTCORE_KERNEL=torch asks for it)\n"


def test_an_unknown_kernel_is_refused() -> None:
    result = run(STATUS, FTCORE_KERNEL="fast")
    assert "FTCORE_KERNEL=fast is none of auto and torch" in result.stderr


FOUND_IN = """
from pathlib import Path
from ftcore import resampling
from ftcore._native import location
location._PACKAGE, location.cache_folder = Path({folder!r}), lambda: Path({folder!r})
print(resampling.kernel(), resampling.draws(2, 1, 0).sum())
"""


def found_in(folder: Path) -> str:
    return run(FOUND_IN.format(folder=str(folder)), FTCORE_KERNEL="auto").stdout


def test_a_library_that_is_not_there_leaves_numpy_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "build.txt").write_text(f"{RESAMPLE.file}: no g++\n")
    end = "; `ftcore build` compiles it) 2\n"
    assert found_in(tmp_path) == f"NumPy (no {RESAMPLE.file}: no g++{end}"


def test_a_damaged_library_leaves_numpy(tmp_path: Path) -> None:
    (tmp_path / RESAMPLE.file).write_bytes(b"not a library")
    assert found_in(tmp_path).startswith("NumPy (")
    assert "cannot be loaded" in found_in(tmp_path)


def test_public_names_are_there() -> None:
    assert all(callable(getattr(resampling, name)) for name in resampling.__all__)
