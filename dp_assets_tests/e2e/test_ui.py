"""The pages of a real lakehouse, from a started webserver: GraphQL, then a browser."""

import shutil
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import dagster as dg
import psutil
import pytest
from playwright.sync_api import Page, sync_playwright

from dp_assets import keys
from dp_assets.definitions import defs
from dp_assets.domains.pipeline import tables
from dp_assets.orchestration.recovery import today
from dp_assets.orchestration.running import dagster_instance
from dp_assets_tests.e2e.conftest import DAYS, MAINTAINED

# One worker (pytest --dist loadgroup): the lakehouse and its webserver are made once.
pytestmark = pytest.mark.xdist_group("ui")
NOT_MADE = {keys.REPLICA}  # this lakehouse has no second place
CHROMIUM = shutil.which("chromium")
ASSETS = """
{ assetNodes {
    assetKey { path }
    groupName
    isMaterializable
    assetMaterializations(limit: 1) {
      runId
      metadataEntries { label ... on MarkdownMetadataEntry { mdStr } }
    }
    partitionStats { numMaterialized numFailed numPartitions }
    assetChecksOrError { ... on AssetChecks { checks {
      name
      executionForLatestMaterialization { runId status evaluation { partition } }
    } } }
} }
"""
AUTOMATION = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    jobs { name description }
    schedules { name description scheduleState { status } }
    sensors { name description sensorState { status } }
} } } }
"""
RELOAD = """
mutation { reloadRepositoryLocation(repositoryLocationName: "dp_assets.definitions") {
    ... on WorkspaceLocationEntry { loadStatus locationOrLoadError { __typename } }
} }
"""
Nodes = dict[dg.AssetKey, dict]


@pytest.fixture(scope="module")
def declared(lakehouse) -> dg.Definitions:
    """What the code says, in this process."""
    return defs()


@pytest.fixture(scope="module")
def graph(declared):
    return declared.resolve_asset_graph()


@pytest.fixture(scope="module")
def nodes(served) -> Nodes:
    """What the webserver shows, by asset."""
    return {dg.AssetKey(n["assetKey"]["path"]): n for n in served.ask(ASSETS)["assetNodes"]}


def test_every_asset_is_there(graph, nodes):
    assert set(nodes) == graph.get_all_asset_keys()
    made = {key for key, node in nodes.items() if node["isMaterializable"]}
    assert made == graph.materializable_asset_keys
    found = {key for key, node in nodes.items() if node["groupName"] == "tables"}
    assert found == graph.external_asset_keys
    assert {
        keys.discovered(spec.table.namespace, spec.table.name) for spec in tables.ALL[:8]
    } <= found


def test_every_asset_shows_the_run_that_made_it(lakehouse, graph, nodes):
    with dagster_instance(lakehouse) as instance:
        made = {
            key: event.run_id
            for key in graph.materializable_asset_keys
            if (event := instance.get_latest_materialization_event(key))
        }
    assert set(made) == graph.materializable_asset_keys - NOT_MADE
    for key, run_id in made.items():
        [shown] = nodes[key]["assetMaterializations"]
        assert shown["runId"] == run_id


def test_every_daily_asset_shows_its_days(graph, nodes):
    daily = {key for key in nodes if graph.get(key).partitions_def == keys.DAYS}
    assert len(daily) == 6
    for key, node in nodes.items():
        stats = node["partitionStats"]
        assert (stats is not None) == (graph.get(key).partitions_def is not None)
        if key in daily:
            assert stats == {"numMaterialized": len(DAYS), "numFailed": 0, "numPartitions": 365}


def test_every_check_shows_its_last_result(graph, nodes):
    shown = {
        dg.AssetCheckKey(key, check["name"]): check["executionForLatestMaterialization"]
        for key, node in nodes.items()
        for check in node["assetChecksOrError"].get("checks", ())
        if key not in NOT_MADE
    }
    assert set(shown) == {key for key in graph.asset_check_keys if key.asset_key not in NOT_MADE}
    assert {result["status"] for result in shown.values()} == {"SUCCEEDED"}
    for check, result in shown.items():
        partitions = {keys.DAYS: DAYS[-1], keys.POINTS: today(), keys.TABLES: str(MAINTAINED)}
        day = partitions.get(graph.get(check.asset_key).partitions_def)
        assert result["evaluation"]["partition"] == day


def test_rows_and_column_lineage_are_shown(nodes):
    for key, rows in (
        (keys.CURATED_FLIGHTS, "partition_row_count"),
        (keys.RAW_PLANES, "row_count"),
    ):
        [shown] = nodes[key]["assetMaterializations"]
        assert f"dagster/{rows}" in {entry["label"] for entry in shown["metadataEntries"]}
    [curated] = nodes[keys.CURATED_FLIGHTS]["assetMaterializations"]
    assert "dagster/column_lineage" in {entry["label"] for entry in curated["metadataEntries"]}


def test_the_report_is_shown_in_short(nodes):
    [shown] = nodes[keys.PIPELINE_REPORT]["assetMaterializations"]
    [in_short] = [e["mdStr"] for e in shown["metadataEntries"] if e["label"] == "in_short"]
    assert "- Flights: **3** (2 days loaded)" in in_short
    assert "#" not in in_short


def test_jobs_schedules_and_sensors_are_there_described_and_stopped(served, declared):
    [location] = served.ask(AUTOMATION)["repositoriesOrError"]["nodes"]
    jobs = {job["name"] for job in location["jobs"] if job["description"]}
    assert jobs == {job.name for job in declared.jobs}
    states = {
        one["name"]: one[f"{kind}State"]["status"]
        for kind in ("schedule", "sensor")
        for one in location[f"{kind}s"]
        if one["description"]
    }
    names = [one.name for one in (*declared.schedules, *declared.sensors)]
    assert len(names) >= 4
    assert states == dict.fromkeys(names, "STOPPED")


def test_the_definitions_reload_in_a_new_process(served):
    before = _code_processes(served)
    reloaded = served.ask(RELOAD)["reloadRepositoryLocation"]
    assert reloaded["locationOrLoadError"] == {"__typename": "RepositoryLocation"}
    assert _code_processes(served) - before


def _code_processes(served) -> set[int]:
    family = psutil.Process(served.process.pid).children(recursive=True)
    return {process.pid for process in family if "grpc" in process.cmdline()}


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A window that is wide enough for the whole graph, and reaches loopback only."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    arguments = [
        "--no-sandbox",
        "--proxy-server=http://127.0.0.1:9",
        "--proxy-bypass-list=127.0.0.1",
    ]
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser.new_page(viewport={"width": 1500, "height": 1600})
        browser.close()


def test_the_graph_names_every_asset_and_needs_no_network(served, nodes, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    groups = {node["groupName"] for node in nodes.values()}
    opened = quote(",".join(f"global@global:{group}" for group in sorted(groups)))
    for selection in ('not group:"tables"', 'group:"tables"'):
        expected = Counter(
            key.path[-1]
            for key, node in nodes.items()
            if (node["groupName"] == "tables") == (selection == 'group:"tables"')
        )
        page.goto(f"{served.url}/asset-groups~{quote(selection, safe='')}?expanded={opened}")
        page.wait_for_load_state("networkidle")
        boxes = page.locator("svg foreignObject").filter(visible=True)
        boxes.first.wait_for()
        drawn = boxes.all_text_contents()
        shown = Counter({name: sum(name in text for text in drawn) for name in expected})
        assert shown >= expected, drawn
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
