"""The sections of `lakehouse.yaml` about recovery."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from dp_assets.core.secrets import Address
from dp_assets.setting_sections import Section, Share, WithProperties
from dp_assets.setting_types import Property, Root, Text
from dp_assets.setting_types_recovery import KeyFiles, RootOrNone, SecretFile, Texts


class Place(WithProperties):
    """Where a repository is; credentials are the catalog's unless given here."""

    properties: Mapping[str, Property] = Field(
        {}, description="PyIceberg's names, e.g. s3.endpoint; default: the catalog's."
    )


class Repository(Place):
    """Where recovery points are kept. Not inside the warehouse."""

    url: Root = Field(Address("{state}/repository"), description="A folder, or s3://bucket/prefix.")
    recipients: Texts = Field((), description="Public age keys that everything is sealed for.")
    naming_key: SecretFile = Field(None, description="Key that names the objects when sealed.")
    identity_files: KeyFiles = Field((), description="Private age keys; a writer needs none.")
    only_writer: bool = Field(
        False, description="Nobody else writes here; needed where create-if-absent is ignored."
    )
    storage_class: Text = Field("", description="Storage class of new objects on S3.")
    server_side_encryption: Literal["none", "AES256"] = Field(
        "none", description="SSE-S3 of new objects."
    )
    deadline_seconds: int = Field(
        120, ge=5, le=86_400, description="Longest time for one request; more for big objects."
    )
    lease_seconds: int = Field(
        300, ge=10, le=86_400, description="A stopped run blocks the next one no longer than this."
    )


class Replica(Place):
    """A second place for the repository."""

    url: RootOrNone = Field(Address(""), description="Another disk, bucket or region; empty: none.")
    max_lag_hours: int = Field(26, ge=1, le=8760, description="A longer lag fails the check.")


class Backup(Section):
    """What a recovery point holds."""

    include: Texts = Field(("*",), description="Globs of tables.")
    exclude: Texts = Field((), description="Globs of tables left out.")
    history: Literal["all", "refs", "current"] = Field("all", description="Which snapshots.")
    workers: int = Field(4, ge=1, le=64, description="Files copied at once.")
    memory_mib: int = Field(
        64, ge=8, le=65_536, description="Bytes of files in memory at once, all workers together."
    )
    postgres_programs: Text = Field(
        "", description="Folder of pg_dump and pg_restore; empty: they are looked for."
    )
    sample_files: int = Field(
        10, ge=0, le=100_000, description="Known files read again in each run, to be sure."
    )


class Retention(Section):
    """How long recovery points are kept."""

    daily: int = Field(7, ge=0, le=3660, description="Days of which the last point is kept.")
    weekly: int = Field(4, ge=0, le=520, description="Weeks of which the last point is kept.")
    monthly: int = Field(12, ge=0, le=240, description="Months of which the last point is kept.")
    min_proven: int = Field(2, ge=0, le=100, description="Newest proven points always kept.")
    dump_days: int = Field(30, ge=1, le=3660, description="Days a metastore dump is kept.")


class Recovery(Section):
    """What is promised, and measured by drills."""

    rpo_minutes: int = Field(60, ge=1, description="Oldest that the newest point may be.")
    rto_minutes: int = Field(30, ge=1, description="Longest that a restore may take.")
    reread_days: int = Field(30, ge=1, le=3660, description="Everything is read again within.")
    max_unproven_days: int = Field(8, ge=1, le=3660, description="Oldest proof that counts.")
    success_share: Share = Field(0.999, description="Share of backups that must succeed.")
