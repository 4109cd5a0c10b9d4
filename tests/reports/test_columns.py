from __future__ import annotations

from ftcore.reports.columns import Column, fold

TABLE = [
    Column("name", ["a", "longer"], is_left=True),
    Column("x", ["1", "22.5"]),
    Column("heading", ["7", ""]),
]


def test_words_stand_left_and_numbers_right() -> None:
    assert fold(TABLE, 80) == [
        "name       x  heading",
        "a          1        7",
        "longer  22.5",
    ]


def test_columns_that_do_not_fit_go_below_with_the_first_one_again() -> None:
    assert fold(TABLE, 16) == [
        "name       x",
        "a          1",
        "longer  22.5",
        "",
        "name    heading",
        "a             7",
        "longer",
    ]


def test_a_terminal_too_thin_for_two_columns_gets_them_nevertheless() -> None:
    assert max(map(len, fold(TABLE, 5))) == len("longer  heading")
