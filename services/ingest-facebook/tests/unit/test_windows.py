from datetime import UTC, datetime, timedelta

from ingest_facebook.domain.windows import vanished

START = datetime(2026, 11, 22, tzinfo=UTC)


def window(*numbers: int) -> dict[str, datetime]:
    return {str(number): START + timedelta(hours=number) for number in numbers}


def test_a_post_that_leaves_the_window_was_not_deleted() -> None:
    assert vanished(window(1, 2, 3), window(2, 3, 4), complete=False) == []


def test_a_post_missing_inside_the_window_is_to_be_asked_for() -> None:
    assert vanished(window(1, 2, 3, 4), window(2, 4, 5), complete=False) == ["3"]


def test_where_the_list_ends_everything_missing_is_to_be_asked_for() -> None:
    assert vanished(window(1, 2), window(2), complete=True) == ["1"]
    assert vanished(window(1, 2), {}, complete=True) == ["2", "1"]


def test_an_empty_answer_of_a_longer_list_says_nothing() -> None:
    assert vanished(window(1, 2), {}, complete=False) == []
