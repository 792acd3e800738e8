"""The command line in this process, in an empty working folder."""

from dp_assets_tests.cli.conftest import dp, home

__all__ = ["dp", "home"]  # fixtures
