"""What dagster.yaml leaves out, and why that is all right."""

import yaml

from dp_assets.definitions import defs
from dp_assets.project_files import project_file


def test_the_daemons_that_are_off_would_have_nothing_to_do():
    settings = yaml.safe_load(project_file("dagster.yaml").read_text(encoding="utf-8"))
    assert settings["freshness"] == {"enabled": False}
    assert settings["auto_materialize"] == {"enabled": False, "use_sensors": False}
    nodes = defs().resolve_asset_graph().asset_nodes
    assert [node.key for node in nodes if node.automation_condition or node.freshness_policy] == []
