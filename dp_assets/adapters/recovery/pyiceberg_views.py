"""Views, in catalogs that have them."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import BadRequestError, RESTError, ViewAlreadyExistsError
from pyiceberg.view.metadata import ViewMetadata

from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.core.ids import TableId


def create_view(catalog: Catalog, name: str, view: Mapping[str, Any]) -> bool:
    """Make a view of its current version; False when this catalog cannot hold it.

    Args:
        catalog: the one that gets it; a view of that name stays as it is.
        name: dotted.
        view: Iceberg's JSON of it.
    """
    identifier = TableId.parse(name).identifier
    try:
        metadata = ViewMetadata.model_validate(view)
    except ValidationError:
        return False  # only a pointer was kept: its file is not in the recovery point
    version = next(v for v in metadata.versions if v.version_id == metadata.current_version_id)
    schema = next(s for s in metadata.schemas if s.schema_id == version.schema_id)
    with verdicts(f"make view {name}", hint="make it by hand; its SQL is in the recovery point"):
        try:
            if not catalog.view_exists(identifier):
                catalog.create_view(identifier, schema, version, properties=metadata.properties)
        except (NotImplementedError, BadRequestError, ViewAlreadyExistsError):
            return False  # no views, not this one, or a table has its name
        except RESTError as error:
            if type(error) is not RESTError:
                raise
            return False  # 404, 405, 406: a server without views
    return True
