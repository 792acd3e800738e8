"""PyIceberg's file IO over the zoo, whose paths are elsewhere than its files."""

from pyiceberg.io import InputFile
from pyiceberg.io.pyarrow import PyArrowFileIO

from dp_assets.ports.closure import one_spelling

FROM, TO = "test.prefix", "test.folder"


class MappedIO(PyArrowFileIO):
    """Everything below one prefix is in another folder."""

    def new_input(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, location: str
    ) -> InputFile:
        prefix = f"{self.properties[FROM]}/"
        path = one_spelling(location)
        if path.startswith(prefix):
            path = f"{self.properties[TO]}/{path[len(prefix) :]}"
        return super().new_input(path)


def properties(prefix: str, folder: str) -> dict[str, str]:
    """For a catalog or a static table."""
    name = f"{MappedIO.__module__}.{MappedIO.__name__}"
    return {"py-io-impl": name, FROM: prefix, TO: folder}
