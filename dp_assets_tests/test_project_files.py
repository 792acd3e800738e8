import pytest

from dp_assets import project_files
from dp_assets.core.errors import PermanentError
from dp_assets.project_files import project_file


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that is elsewhere."""
    folder = tmp_path / "dp_assets"
    (folder / "project").mkdir(parents=True)
    monkeypatch.setattr(project_files, "__file__", str(folder / "project_files.py"))
    return folder


@pytest.mark.parametrize("name", ["lakehouse.yaml", "pyproject.toml", "workspace.yaml"])
def test_a_checkout_has_its_files_beside_the_package(name):
    assert project_file(name).is_file()


def test_a_wheel_has_its_files_inside_the_package(package):
    for folder in (package / "project", package.parent):
        (folder / "lakehouse.yaml").write_text("")
    assert project_file("lakehouse.yaml") == package / "project" / "lakehouse.yaml"


def test_a_missing_file_is_named_with_the_places(package):
    with pytest.raises(PermanentError) as caught:
        project_file("lakehouse.yaml")
    assert caught.value.what == (
        f"lakehouse.yaml is neither in {package / 'project'} nor in {package.parent}"
    )
