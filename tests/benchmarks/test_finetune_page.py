"""The section and the chart are those of results made up here."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.finetune_page import BARS, chart, section

SVG = "{http://www.w3.org/2000/svg}"


def row(name: str, seconds: float, *, is_extrapolated: bool = False) -> dict[str, Any]:
    return {
        "contestant": name,
        "does": f"what {name} does",
        "epoch": {"wall_s": seconds / 10, "cpu_s": seconds / 5},
        "whole": {"wall_s": seconds, "cpu_s": 2 * seconds, "is_extrapolated": is_extrapolated},
        "peak_mib": 1000.4,
        "accuracy_after_one_epoch": 0.25,
        "accuracy": None if is_extrapolated else 0.5,
    }


@pytest.fixture
def content() -> dict[str, Any]:
    return {
        "host": {"cpus": 2, "cpu": "a processor", "versions": {"torch": "2"}},
        "threads": 2,
        "rounds": 3,
        "epochs": 10,
        "images": {"train": 1000, "test": 250},
        "peak_images": 160,
        "job": {"epochs": 10, "size": 224, "classes": 10, "rate": 0.01, "batch": 32},
        "rows": [
            row("peer & co", 400.0),
            row("other", 100.0, is_extrapolated=True),
            row("ftcore", 40.0),
        ],
    }


def test_a_row_gives_seconds_ratio_and_what_was_added_up(content: dict[str, Any]) -> None:
    text = "".join(section(content, None))
    assert "| peer & co | 40.0 | 400.0 | 10.00 | 800.0 | 1000 | 0.250 | 0.500 |" in text
    assert "| other | 10.0 | 100.0 ¹ | 2.50 | 200.0 | 1000 | 0.250 |  |" in text
    assert "¹ Added up: setup, and 10 times the epoch" in text


def test_nothing_is_said_to_be_added_up_where_all_was_run(content: dict[str, Any]) -> None:
    content["rows"] = [row("peer", 4.0), row("ftcore", 1.0)]
    assert "¹" not in "".join(section(content, None)) + chart(content)


def test_without_ftcore_there_is_no_ratio(content: dict[str, Any]) -> None:
    content["rows"] = [row("peer", 4.0)]
    assert "| peer | 0.4 | 4.0 |  | 8.0 |" in "".join(section(content, None))


def test_accuracies_of_seeds_follow_where_they_were_measured(content: dict[str, Any]) -> None:
    scores = {"contestant": "script", "mean": 0.96, "low": 0.9512, "high": 0.9688}
    job = {"epochs": 3, "size": 224, "rate": 0.01}
    images = {"train": 244, "test": 153}
    accuracy = {"job": job, "images": images, "weights": "file.pth", "seeds": 5, "level": 0.95}
    accuracy["rows"] = [scores]
    text = "".join(section(content, accuracy))
    assert "| script | 0.960 | 0.951 to 0.969 |" in text
    assert "its 95% t-interval" in text


def test_bars_are_as_long_as_the_seconds(content: dict[str, Any]) -> None:
    root = ElementTree.fromstring(chart(content))
    bars = root.findall(f"{SVG}rect")
    assert [float(bar.attrib["width"]) for bar in bars] == [BARS, BARS / 4, BARS / 10]
    assert [bar.attrib["class"] for bar in bars] == ["bar", "bar", "bar ours"]
    assert "peer & co" in [text.text for text in root.findall(f"{SVG}text")]
