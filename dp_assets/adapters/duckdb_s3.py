"""An object store for DuckDB, from the properties that PyIceberg takes for the same store."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import duckdb

ENDPOINT = "s3.endpoint"
# PyIceberg's property -> DuckDB's name in CREATE SECRET (type s3).
KEYS = {
    "s3.access-key-id": "KEY_ID",
    "s3.secret-access-key": "SECRET",
    "s3.session-token": "SESSION_TOKEN",
    "s3.region": "REGION",
}


def allow_s3(connection: duckdb.DuckDBPyConnection, properties: Mapping[str, str]) -> None:
    """Give ``connection`` the keys and the endpoint of the warehouse; needs httpfs loaded.

    Without keys among the properties DuckDB asks for unsigned objects.
    """
    options = {name: properties[key] for key, name in KEYS.items() if key in properties}
    endpoint = urlsplit(properties.get(ENDPOINT, ""))
    if endpoint.netloc:
        options |= {
            "ENDPOINT": endpoint.netloc,
            "USE_SSL": str(endpoint.scheme == "https").lower(),
            "URL_STYLE": "path",
        }
    body = "".join(f", {name} '{_quoted(value)}'" for name, value in options.items())
    connection.execute(f"CREATE OR REPLACE SECRET warehouse (TYPE s3{body})")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
