"""The tables and statements of the repository's index."""

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE about (repository_id TEXT NOT NULL, schema_version INTEGER NOT NULL);
CREATE TABLE points (number INTEGER PRIMARY KEY, mark TEXT NOT NULL);
CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE point_lists (
    point INTEGER, list INTEGER, PRIMARY KEY (point, list)
) WITHOUT ROWID;
CREATE INDEX lists_points ON point_lists (list);
CREATE TABLE objects (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, stored_sha256 TEXT NOT NULL,
    stored_size INTEGER NOT NULL, run TEXT, crc INTEGER NOT NULL
);
CREATE TABLE list_objects (
    list INTEGER, object INTEGER, PRIMARY KEY (list, object)
) WITHOUT ROWID;
CREATE INDEX objects_lists ON list_objects (object);
CREATE TABLE condemned (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE checked (
    name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, damaged INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX damaged ON checked (name) WHERE damaged;
CREATE TABLE tables (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE);
CREATE TABLE files (
    tbl INTEGER, path TEXT, size INTEGER NOT NULL, version TEXT NOT NULL, name TEXT NOT NULL,
    sha256 TEXT NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (tbl, path)
) WITHOUT ROWID;
"""

_SOUND = """
    NOT EXISTS (SELECT 1 FROM condemned c WHERE c.name = o.name)
    AND NOT EXISTS (SELECT 1 FROM checked v WHERE v.name = o.name AND v.damaged)
"""
_NEEDED = """EXISTS (
    SELECT 1 FROM list_objects l JOIN point_lists p ON p.list = l.list WHERE l.object = o.id
)"""


class SQL:
    """Statements by what they are for; values in the order of their question marks."""

    tables = (
        "points",
        "lists",
        "point_lists",
        "objects",
        "list_objects",
        "condemned",
        "checked",
        "tables",
        "files",
    )
    stored = f"""
        SELECT o.stored_sha256, o.stored_size, o.crc FROM objects o
        WHERE o.name = ? AND (o.run = ? OR ({_NEEDED} AND {_SOUND}))
    """  # noqa: S608
    # CROSS JOIN keeps the order: the wanted paths first, then a look-up for each.
    files = f"""
        SELECT f.path, f.size, f.version, f.sha256, f.crc,
            o.name, o.stored_sha256, o.stored_size, o.crc, NOT (o.run IS r.run OR {_NEEDED})
        FROM (SELECT ? AS run) r CROSS JOIN json_each(?) w
        CROSS JOIN tables t CROSS JOIN files f CROSS JOIN objects o
        WHERE t.uuid = ? AND f.tbl = t.id AND f.path = w.value AND o.name = f.name
            AND (o.run IS r.run OR ({_SOUND}))
    """  # noqa: S608
    checked = """
        SELECT v.name, v.at_ms, v.damaged FROM json_each(?) w CROSS JOIN checked v
        WHERE v.name = w.value
    """
    add_object = """
        INSERT INTO objects (name, stored_sha256, stored_size, run, crc) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET stored_sha256 = excluded.stored_sha256,
            stored_size = excluded.stored_size, run = excluded.run, crc = excluded.crc
    """
    add_table = "INSERT OR IGNORE INTO tables (uuid) VALUES (?)"
    add_file = """
        INSERT OR REPLACE INTO files (tbl, path, size, version, name, sha256, crc)
        SELECT id, ?, ?, ?, ?, ?, ? FROM tables WHERE uuid = ?
    """
    add_list_object = """
        INSERT OR IGNORE INTO list_objects
        SELECT l.id, o.id FROM lists l, objects o WHERE l.name = ? AND o.name = ?
    """
    add_point_list = """
        INSERT OR IGNORE INTO point_lists SELECT ?, id FROM lists WHERE name = ?
    """


# After a point is gone, what nobody needs any more; objects of unfinished runs may stay.
WIPE = (
    "DELETE FROM lists WHERE id NOT IN (SELECT list FROM point_lists)",
    "DELETE FROM list_objects WHERE list NOT IN (SELECT id FROM lists)",
    f"DELETE FROM objects AS o WHERE o.run IS NULL AND NOT {_NEEDED}",  # noqa: S608
    "DELETE FROM files WHERE name NOT IN (SELECT name FROM objects)",
    """DELETE FROM checked WHERE name NOT IN (SELECT name FROM objects)
        AND name NOT IN (SELECT name FROM lists)""",
)
