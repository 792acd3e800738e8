"""Lakehouses whose catalog is a real Iceberg REST server."""

from pathlib import Path

from dp_assets.settings import Settings, load_settings
from dp_assets_tests.services import Rest


def rest_settings(file: Path, rest: Rest, *, repository: str = "") -> Settings:
    """A lakehouse.yaml of tables in the catalog ``rest``, read; leases are beside its bucket."""
    lines = ["state: state", "catalog:", "  type: rest", f"  uri: {rest.uri}", "  properties:"]
    lines += [f"    {name}: '{value}'" for name, value in rest.properties.items()]
    lines += ["warehouse:", f"  root: {rest.warehouse}"]
    lines += ["leases:", "  wait_seconds: 0", f"  root: {rest.s3.url}"]
    if repository:
        lines += ["repository:", f"  url: {repository}"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return load_settings(file, env={})
