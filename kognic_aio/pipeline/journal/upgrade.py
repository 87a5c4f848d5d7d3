"""Upgrades journals of schemas 1 and 2. It can be deleted when nobody has any of them."""

import json
import sqlite3
from collections.abc import Sequence

from kognic_aio.pipeline.journal.facts import STEPS, Destination

DESTINATION = "CREATE TABLE destination (content TEXT NOT NULL)"

SCENE = """CREATE TABLE scene (
    key TEXT PRIMARY KEY, step INTEGER NOT NULL, fingerprint TEXT, scene_uuid TEXT, preannotation_uuid TEXT,
    result TEXT, delivered INTEGER NOT NULL DEFAULT 0{}
) WITHOUT ROWID"""

ABANDONED = "CREATE TABLE abandoned (scene_uuid TEXT PRIMARY KEY) WITHOUT ROWID"

REFUSED = """CREATE TABLE refused (
    key TEXT NOT NULL, fingerprint TEXT NOT NULL, error TEXT, PRIMARY KEY (key, fingerprint)
) WITHOUT ROWID"""

LARGE_ROW = "SELECT key FROM scene WHERE {} > ? LIMIT 1"

EARLIER = {
    1: ((DESTINATION, SCENE.format(""), ABANDONED), LARGE_ROW.format("length(result)")),
    2: (
        (DESTINATION, SCENE.format(", outline TEXT"), ABANDONED, REFUSED),
        LARGE_ROW.format("max(coalesce(length(result), 0), coalesce(length(outline), 0))"),
    ),
}
"""The schema of each version, and a query for the key of a row that is too large."""

_STEP = f"json_extract('{json.dumps(STEPS)}', '$[' || step || ']')"
_FIELDS = {"sceneUuid": "scene_uuid", "preannotationUuid": "preannotation_uuid", "fingerprint": "fingerprint"}
_TEXTS = ", ".join(f"""'{name}', json('"' || {column} || '"')""" for name, column in _FIELDS.items())

TO_FACTS = f"""
    INSERT INTO fact SELECT '"' || key || '"', 1, coalesce(json_extract(result, '$.status'), {_STEP}), project, batch,
    json_patch('{{}}', json_object({_TEXTS}, 'outline', outline, 'result', json(result)))
    FROM scene, place;
    INSERT INTO fact SELECT '"' || key || '"', 2, 'delivered', project, batch, '{{}}' FROM scene, place WHERE delivered;
    INSERT INTO fact SELECT '"' || key || '"', 2 + row_number() OVER (), iif(error IS NULL, 'retried', 'refused'),
    project, batch, json_patch('{{}}', json_object('kin', json('"' || fingerprint || '"'), 'error', json(error)))
    FROM refused, place;
    INSERT INTO fact SELECT '""', row_number() OVER (), 'orphan', project, batch,
    '{{"sceneUuid":"' || scene_uuid || '"}}' FROM abandoned, place;
    DROP TABLE scene; DROP TABLE abandoned; DROP TABLE refused
"""  # noqa: S608  # made of our own texts only
"""The temporary table `place` has the project and the batch, which the facts of earlier versions do not name."""


def upgrade(connection: sqlite3.Connection, schema: Sequence[str], destination: Destination) -> None:
    """Upgrade a journal of an earlier version. Nothing that it has is lost."""
    ((version,),) = connection.execute("PRAGMA user_version")
    if version not in EARLIER:
        return
    connection.execute("PRAGMA temp_store = FILE")  # what SQLite needs to undo a step may be as large as the journal
    place = json.dumps(destination.project), json.dumps(destination.batch)
    connection.execute("CREATE TEMP TABLE place AS SELECT ? AS project, ? AS batch", place)
    of_2 = f"ALTER TABLE scene ADD COLUMN outline TEXT; {REFUSED}" if version == 1 else ""
    tables = "; ".join(schema[1:])  # all but the destination, which is there
    connection.executescript(f"BEGIN; {of_2}; {tables}; {TO_FACTS}; PRAGMA user_version = 3; COMMIT;")
    connection.execute("DROP TABLE place")
