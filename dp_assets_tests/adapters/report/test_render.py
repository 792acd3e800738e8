import json
import re
from html.parser import HTMLParser

import duckdb
import pytest

from dp_assets.adapters.report.collect import collect
from dp_assets.adapters.report.render import write_benchmarks, write_report
from dp_assets.ports.report_recovery import Recovery
from dp_assets_tests.adapters.report.conftest import FACTS, RECOVERY, fill

ASKS_THE_NETWORK = {"script", "link", "iframe", "img", "object", "embed", "video", "audio", "base"}


class Page(HTMLParser):
    """What a browser would find: tags, attributes, visible text, ids."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One report for all; drawing its pictures takes half a second."""
    with duckdb.connect() as connection:
        fill(connection)
        report = collect(
            connection,
            tables=FACTS,
            generated_at_ms=1_357_002_000_000,
            environment="test",
            run_id="run-7",
            lakehouse="North & <South>",
            recovery=RECOVERY,
        )
    return report, write_report(report, tmp_path_factory.mktemp("report") / "new" / "folder")


@pytest.fixture
def page(written):
    return Page(written[1].html.read_text())


def test_the_page_asks_no_network_and_runs_nothing(written, page):
    assert ASKS_THE_NETWORK.isdisjoint(page.tags)
    assert [a for a in page.attributes if a[0] in ("src", "href", "xlink:href", "srcset")] == []
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
    css = re.search("<style>(.*?)</style>", written[1].html.read_text(), re.DOTALL)[1]
    assert re.findall(r"@import|@font-face|url\(", css) == []
    assert ("name", "viewport") in page.attributes


def test_references_inside_the_pictures_stay_inside_and_ids_are_unique(written, page):
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([\w-]+)\)", written[1].html.read_text())) <= set(ids)


def test_every_picture_has_words(page):
    pictures = page.tags.count("svg")
    labels = [value for name, value in page.attributes if name == "aria-label"]
    assert pictures == 7 * 2 + 1  # seven charts in two cuts, one sparkline
    assert sum("%" in label for label in labels) == 8
    assert "medians of count: 1.00 s, 0.50 s" in labels


def test_hostile_text_is_text_in_html(written, page):
    html = written[1].html.read_text()
    assert "<script" not in html
    assert any("<script>alert(1)</script>" in text for text in page.texts)
    assert any("no <such> table" in text for text in page.texts)
    assert "North &amp; &lt;South&gt;: pipeline report" in html


def test_hostile_text_is_text_in_markdown(written):
    markdown = written[1].markdown.read_text()
    assert re.findall(r"<\w+", markdown) == []
    assert re.findall(r"(?<!\\)\]\(http", markdown) == []
    [row] = [line for line in markdown.splitlines() if "alert(1)" in line and "WARN" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 10  # nine cells, as in its header


def test_all_three_say_the_same(written, page):
    report, files = written
    facts = json.loads(files.json.read_text())
    text, markdown = " ".join(page.texts), files.markdown.read_text()
    assert facts["on_time"]["flights"] == 66
    assert facts["on_time"]["on_time_share"] == report.on_time.on_time_share
    assert facts["checks"][0]["findings"][1]["failing_rows"] == 11
    assert facts["benchmarks"]["lines"][0]["median_seconds"] == 0.5
    assert facts["tables"][0]["rows"] == 1234567
    assert facts["generated_at"] == "2013-01-01T01:00:00Z"
    for shown in ("66", "45.5 %", "25.0 %", "0.50 s", "1,234,567", "3.00 MiB", "2013-01-01 01:00"):
        assert shown in text
        assert shown in markdown


def test_what_needs_attention_is_at_the_top_of_each(written, page):
    report, files = written
    facts = json.loads(files.json.read_text())
    assert facts["attention"] == list(report.attention)
    assert len(report.attention) == 7
    for sentence in report.attention:
        assert sentence in page.texts
        assert sentence in files.markdown.read_text().replace("\\", "")


def test_json_holds_every_fact_unrounded(written):
    report, files = written
    facts = json.loads(files.json.read_text())
    assert facts["day_ranges"][0]["gaps"] == ["2013-01-03"]
    assert [d["on_time_share"] for d in facts["on_time"]["days"]] == [
        d.on_time_share for d in report.on_time.days
    ]


def test_recovery_is_the_same_in_all_three(written, page):
    report, files = written
    facts = json.loads(files.json.read_text())["recovery"]
    text, markdown = " ".join(page.texts), files.markdown.read_text()
    assert facts["newest"]["age_ms"] == report.recovery.newest.age_ms
    assert [a["seconds"] for a in facts["history"]] == [2.5, 4.5, 0.5, 1.5]
    assert facts["not_covered"][0]["why"] == "<script> not in point 2: excluded, or made since"
    for shown in (
        "1 h 30 min old",
        "RPO 1 h",
        "30 min old",
        "point 1, 2 tables, 3.00 KiB",
        "s3://backups/lake",
        "dump-7, 1 h old, restores",
        "Point 2 added 1.00 KiB of 4.00 KiB. 1 of 2 whole. 1 more made no point.",
        "The last point took 1.50 s, the last drill 4.50 s.",
        "the disk is full",
    ):
        assert shown in text
        assert shown in markdown.replace("\\", "")


def test_maintenance_is_the_same_in_all_three(written, page):
    _, files = written
    facts = json.loads(files.json.read_text())["maintenance"]
    assert facts["round"][1]["before"] == {"bytes": 4096, "files": 90}
    text, markdown = " ".join(page.texts), files.markdown.read_text()
    for shown in (
        "3 operations, 2 tables",
        "3.00 KiB",
        "1.50 KiB for each second spent",
        "together 1.00 s before, 0.50 s after",
        "Tables that changed: 1. Files fewer: 87.",
        "compaction of raw.flights",
        "90 → 3",
        "4.00 KiB → 1.00 KiB",
        "90 small files",
        "the disk is full",
    ):
        assert shown in text
        assert shown in markdown.replace("\\", "")


def test_before_the_first_operation_one_line_says_so(empty, tmp_path):
    report = collect(empty, tables=(), generated_at_ms=0, environment="test", run_id="r")
    files = write_report(report, tmp_path)
    html = files.html.read_text()
    section = html[html.index("<h2>Maintenance") : html.index("<h2>Recovery")]
    said = "".join(Page(section).texts).split("\n")
    assert [line for line in said if line] == ["Maintenance", "Nothing has needed maintenance yet."]
    assert "## Maintenance\n\nNothing has needed maintenance yet.\n\n## Recovery" in (
        files.markdown.read_text()
    )


def test_promises_that_are_broken_are_red_and_kept_ones_green(written):
    html = written[1].html.read_text()
    section = html[html.index("<h2>Recovery") :]
    tiles = re.findall(
        r'<dt>([^<]+)</dt><dd>[^<]+</dd><dd class="small"><span class="badge (\w+)"', section
    )
    assert tiles == [
        ("Newest point", "bad"),
        ("Newest proof", "good"),
        ("A restore takes", "good"),
        ("Not covered", "warn"),
    ]


def test_without_a_repository_one_line_says_so(empty, tmp_path):
    missing = Recovery(missing="there is no repository at /x: 'dp repo init' makes one")
    report = collect(
        empty, tables=(), generated_at_ms=0, environment="test", run_id="r", recovery=missing
    )
    files = write_report(report, tmp_path)
    html, markdown = files.html.read_text(), files.markdown.read_text()
    section = html[html.index("<h2>Recovery") : html.index("<h2>Tables")]
    said = "".join(Page(section).texts).split("\n")
    assert [line for line in said if line] == ["Recovery", missing.missing]
    assert f"## Recovery\n\n{missing.missing}\n\n## Tables" in markdown
    assert json.loads(files.json.read_text())["attention"] == []


def test_an_empty_lakehouse_has_a_page(empty, tmp_path):
    report = collect(empty, tables=(), generated_at_ms=0, environment="test", run_id="r")
    files = write_report(report, tmp_path)
    for path in (files.html, files.markdown):
        assert "Nothing has been loaded yet" in path.read_text()
    assert json.loads(files.json.read_text())["tables"] == []


def test_writing_again_replaces_and_leaves_nothing_beside(written):
    report, files = written
    before = files.html.read_bytes()
    files.html.write_text("old")
    assert write_report(report, files.html.parent) == files
    assert files.html.read_bytes() == before  # the same report is the same bytes
    assert sorted(path.name for path in files.html.parent.iterdir()) == [
        "pipeline.html",
        "pipeline.json",
        "pipeline.md",
    ]


def test_benchmarks_lie_beside_the_report_with_their_marks(tmp_path):
    path = write_benchmarks([{"query": "count", "complete": False}], tmp_path)
    assert path.name == "benchmarks.json"
    assert json.loads(path.read_text())["results"] == [{"query": "count", "complete": False}]
