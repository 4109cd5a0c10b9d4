"""Tables of results made up here: rows by setting, what misses in bold, the rest left alone."""

from __future__ import annotations

from typing import Any

from benchmarks.statistics_page import filled


def row(part: str, what: str, setting: str, **others: Any) -> dict[str, Any]:
    return {"part": part, "what": what, "setting": setting, **others}


CONTENT = {
    "host": {"cpus": 2, "cpu": "a processor", "versions": {"numpy": "2"}},
    "rounds": 1000,
    "rows": [
        row("metrics", "f1", "n = 9", held=0.9512, without=0),
        row("metrics", "mcc", "n = 9", held=0.92, without=0),
        row("metrics", "f1", "n = 99", held=0.971, without=3),
        row("metrics", "auroc", "n = 9, ranked", held=0.93, without=0),
        row("folds", "t", "n = 9", rejected=0.0661),
    ],
}
PAGE = """\
# Before
<!-- held: metrics -->
stale
<!-- end of table -->
between
<!-- rejected: folds -->
<!-- end of table -->
<!-- machine -->
<!-- end of machine -->
after
"""


def test_tables_are_made_anew_and_the_rest_stays() -> None:
    text = filled(PAGE, CONTENT)
    assert (
        """\
| setting | f1 | mcc |
| --- | --- | --- |
| n = 9 | 95.1 | **92.0** |
| n = 99 | **97.1** (3 without) |  |

| setting | auroc |
| --- | --- |
| n = 9, ranked | 93.0 |
<!-- end of table -->
between
"""
        in text
    )
    assert "| n = 9 | **6.6** |" in text
    assert "a processor; numpy 2; 1000 simulations of each setting." in text
    assert text.startswith("# Before\n")
    assert text.endswith("after\n")
    assert "stale" not in text
    assert filled(text, CONTENT) == text
