from ctxchat.tui.meters.sparkline import sparkline


def test_the_tallest_value_fills_the_row_and_the_latest_stands_at_the_right() -> None:
    assert sparkline([1.0, 4.0, 8.0], 5) == ["  ▁▄█"]


def test_only_the_latest_turns_are_shown() -> None:
    assert sparkline([9.0, 1.0, 2.0], 2) == ["▄█"]


def test_two_rows_have_sixteen_heights() -> None:
    assert sparkline([1.0, 8.0, 12.0, 16.0], 4, rows=2) == ["  ▄█", "▁███"]


def test_what_is_not_known_is_a_dot_and_nothing_is_ever_zero_high() -> None:
    assert sparkline([None, 0.001, 100.0], 3) == ["·▁█"]
    assert sparkline([0.0, 0.0], 2) == ["▁▁"]


def test_without_turns_or_room_there_are_blanks() -> None:
    assert sparkline([], 3) == ["   "]
    assert sparkline([1.0], 0) == [""]
