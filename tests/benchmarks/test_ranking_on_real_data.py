from __future__ import annotations

from benchmarks.ranking_on_real_data import END, PAGE, START, WEIGHTS, page
from benchmarks.tables import load


def test_the_page_shows_what_is_stored() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition(START)[2].partition(END)[0]
    content = load("ranking.json")
    assert shown.strip() == page(content).strip()
    for row in content["rows"]:
        assert {each["name"] for each in row["record"]["backbones"]} == WEIGHTS.keys()
