from datetime import date

from dp_assets.ports.report import (
    BenchmarkLine,
    Benchmarks,
    DayRange,
    Finding,
    PipelineReport,
    Refusal,
    ValidationLine,
)

FIRST, LATE, LAST = date(2013, 1, 1), date(2013, 1, 2), date(2013, 1, 3)


def report(**parts):
    return PipelineReport("L", "test", 0, "r", **parts)


def line(query, verdict):
    return BenchmarkLine(query, verdict, 1.0, 1.0, 1.0, 2.0, 1, 1, None, ())


def test_nothing_needs_attention_when_all_is_well():
    well = report(
        day_ranges=(DayRange("raw.flights", 3, FIRST, LAST, ()),),
        benchmarks=Benchmarks(lines=(line("count", "PASS"),)),
        validations=(ValidationLine("totals", True, "agree", "1", "1"),),
    )
    assert well.attention == ()


def test_attention_names_what_is_wrong_and_where():
    bad = report(
        refusals=(
            Refusal("raw.flights", "2013-01-02", ("key", "range")),
            Refusal("a.b", None, ("k",)),
        ),
        benchmarks=Benchmarks(lines=(line("join", "SLOW"),)),
        validations=(ValidationLine("totals", False, "agree", "1", "2"),),
    )
    assert bad.attention == (
        "raw.flights 2013-01-02 was refused: key, range",
        "a.b (whole) was refused: k",
        "validation totals: found 1, expected 2",
        "benchmark join: SLOW",
    )


def test_one_late_day_is_one_thing_to_look_at():
    late = report(
        day_ranges=tuple(
            DayRange(table, 2, FIRST, LAST, (LATE,)) for table in ("raw.flights", "curated.flights")
        )
    )
    assert late.attention == ("2013-01-02 has no rows in raw.flights, curated.flights",)


def test_a_finding_on_no_rows_has_no_share():
    assert Finding("has_rows", "ERROR", 1, 1, 0, None, "0 rows", "1", "[]").share == 0.0
