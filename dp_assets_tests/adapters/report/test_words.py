from datetime import date

import pytest

from dp_assets.adapters.report import words


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (words.count(336776), "336,776"),
        (words.count(None), "–"),  # noqa: RUF001
        (words.share(0.7634), "76.3 %"),
        (words.share(0.0004), "< 0.1 %"),
        (words.share(0.0), "0.0 %"),
        (words.seconds(0.0123), "12.3 ms"),
        (words.seconds(0.5), "0.50 s"),
        (words.span(34 * 60_000), "34 min"),
        (words.span(65 * 60_000), "1 h 5 min"),
        (words.span(8 * 86_400_000), "8 d"),
        (words.span(1_500), "1.50 s"),
        (words.minutes(-5.0), "\u22125 min"),
        (words.minutes(12.4), "+12 min"),
        (words.moment(0), "1970-01-01 00:00 UTC"),
        (words.days([]), "none"),
        (words.days([date(2013, 1, d) for d in range(1, 4)], limit=1), "2013-01-01 and 2 more"),
    ],
)
def test_numbers_read_well(shown, expected):
    assert shown == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a|b", r"a\|b", id="a-pipe-ends-no-cell"),
        pytest.param("a\nb", "a b", id="a-line-break-ends-no-row"),
        pytest.param("<b>&", "&lt;b>&amp;", id="no-html"),
        pytest.param("[x](y)", r"\[x\](y)", id="no-link"),
        pytest.param("\\|", r"\\\|", id="a-backslash-unescapes-nothing"),
    ],
)
def test_a_cell_is_only_text(text, expected):
    assert words.cell(text) == expected
