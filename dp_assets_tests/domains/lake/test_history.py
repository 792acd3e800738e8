from dp_assets.core.ids import TableId
from dp_assets.domains.lake.history import update_history
from dp_assets.ports.inventory import TableLife

A, B = TableId("raw", "a"), TableId("raw", "b")


def test_a_life_begins_goes_on_and_ends():
    first = update_history((), {A: "u1", B: "u2"}, now_ms=10)
    then = update_history(first, {A: "u1"}, now_ms=20)
    assert then == (TableLife(A, "u1", 10, 20), TableLife(B, "u2", 10, 10, dropped_at_ms=20))


def test_drop_and_create_under_the_same_name_is_a_new_life():
    lives = update_history([TableLife(A, "u1", 10, 10)], {A: "u2"}, now_ms=20)
    assert lives == (TableLife(A, "u1", 10, 10, dropped_at_ms=20), TableLife(A, "u2", 20, 20))


def test_a_table_back_after_it_was_missed_is_a_new_life_and_the_old_one_stays_as_it_was():
    ended = TableLife(A, "u1", 10, 10, dropped_at_ms=20)
    assert update_history([ended], {A: "u1"}, now_ms=30) == (ended, TableLife(A, "u1", 30, 30))


def test_a_renamed_table_ends_under_one_name_and_begins_under_the_other():
    lives = update_history([TableLife(A, "u1", 10, 10)], {B: "u1"}, now_ms=20)
    assert lives == (TableLife(A, "u1", 10, 10, dropped_at_ms=20), TableLife(B, "u1", 20, 20))


def test_unreadable_metadata_ends_no_life_and_its_uuid_is_filled_in_later():
    assert update_history([TableLife(A, "u1", 10, 10)], {A: ""}, now_ms=20) == (
        TableLife(A, "u1", 10, 20),
    )
    assert update_history([TableLife(A, "", 10, 10)], {A: "u1"}, now_ms=20) == (
        TableLife(A, "u1", 10, 20),
    )
