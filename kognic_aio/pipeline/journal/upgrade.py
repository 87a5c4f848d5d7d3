"""Upgrades journals of earlier schemas. It can be deleted when nobody has any of them."""

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

EARLIER: dict[int, Sequence[str]] = {
    1: (DESTINATION, SCENE.format(""), ABANDONED),
    2: (DESTINATION, SCENE.format(", outline TEXT"), ABANDONED, REFUSED),
}
"""The schema of each earlier version."""

_STEP = f"json_extract('{json.dumps(STEPS)}', '$[' || step || ']')"
_FIELDS = {"sceneUuid": "scene_uuid", "preannotationUuid": "preannotation_uuid", "fingerprint": "fingerprint"}
_TEXTS = ", ".join(f"""'{name}', json('"' || {column} || '"')""" for name, column in _FIELDS.items())

TO_FACTS = (
    f"""INSERT INTO fact SELECT '"' || key || '"', 1, coalesce(json_extract(result, '$.status'), {_STEP}),
    :project, :batch, json_patch('{{}}', json_object({_TEXTS}, 'outline', outline, 'result', json(result)))
    FROM scene""",  # noqa: S608  # made of our own texts only
    """INSERT INTO fact SELECT '"' || key || '"', 2, 'delivered', :project, :batch, '{}' FROM scene WHERE delivered""",
    """INSERT INTO fact SELECT '"' || key || '"', 2 + row_number() OVER (), iif(error IS NULL, 'retried', 'refused'),
    :project, :batch, json_patch('{}', json_object('kin', json('"' || fingerprint || '"'), 'error', json(error)))
    FROM refused""",
    """INSERT INTO fact SELECT '""', row_number() OVER (), 'orphan', :project, :batch,
    '{"sceneUuid":"' || scene_uuid || '"}' FROM abandoned""",
    *(f"DROP TABLE {table}" for table in ("scene", "abandoned", "refused")),
)

TO_4 = "PRAGMA user_version = 4"
"""Schema 3 has the same tables. Its facts name no targets, and its destinations always a project."""


def upgrade(connection: sqlite3.Connection, version: int, schema: Sequence[str], destination: Destination) -> None:
    """Upgrade a journal of an earlier version. Nothing that it has is lost."""
    connection.execute("PRAGMA temp_store = FILE")  # what SQLite needs to undo a step may be as large as the journal
    to_2 = ("ALTER TABLE scene ADD COLUMN outline TEXT", REFUSED) if version == 1 else ()
    place = {"project": json.dumps(destination.project), "batch": json.dumps(destination.batch)}
    to_3 = (*to_2, *schema[1:], *TO_FACTS) if version < 3 else ()  # the table of the destination is there
    with connection:
        connection.execute("BEGIN")
        for statement in (*to_3, TO_4):
            connection.execute(statement, place)
