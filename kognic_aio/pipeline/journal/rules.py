"""What is in the file of a journal, in SQL: the tables, and what each change does to them."""

import json
from typing import NamedTuple

APPLICATION_ID = 0x4B6F676A
"""Tells a journal from other databases."""

SCHEMA_VERSION = 1

SCHEMA = f"""
BEGIN;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
CREATE TABLE destination (content TEXT NOT NULL);
CREATE TABLE scene (
    key TEXT PRIMARY KEY,
    step INTEGER NOT NULL,
    fingerprint TEXT,
    scene_uuid TEXT,
    preannotation_uuid TEXT,
    result TEXT,
    delivered INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE abandoned (scene_uuid TEXT PRIMARY KEY) WITHOUT ROWID;
"""

RULES = """
CREATE TEMP VIEW change (verb, key, step, fingerprint, scene_uuid, preannotation_uuid, result)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL;

-- The scene that was started before has to be invalidated, unless it has become an input.
CREATE TEMP TRIGGER start_afresh INSTEAD OF INSERT ON change WHEN NEW.verb = 'start' BEGIN
    INSERT OR IGNORE INTO abandoned
    SELECT scene_uuid FROM scene
    WHERE key = NEW.key AND scene_uuid IS NOT NULL AND scene_uuid IS NOT NEW.scene_uuid
    AND json_extract(result, '$.status') IS NOT 'created';

    INSERT OR REPLACE INTO scene (key, step, fingerprint, scene_uuid, preannotation_uuid)
    VALUES (NEW.key, NEW.step, NEW.fingerprint, NEW.scene_uuid, NEW.preannotation_uuid);
END;

-- What is known already stays known; no step goes back, and a scene that has settled (has a result) takes no more.
CREATE TEMP TRIGGER advance INSTEAD OF INSERT ON change WHEN NEW.verb = 'advance' BEGIN
    INSERT INTO scene (key, step, fingerprint, scene_uuid, preannotation_uuid, result)
    VALUES (NEW.key, NEW.step, NEW.fingerprint, NEW.scene_uuid, NEW.preannotation_uuid, NEW.result)
    ON CONFLICT (key) DO UPDATE SET
        step = excluded.step,
        fingerprint = coalesce(excluded.fingerprint, fingerprint),
        scene_uuid = coalesce(excluded.scene_uuid, scene_uuid),
        preannotation_uuid = coalesce(excluded.preannotation_uuid, preannotation_uuid),
        result = excluded.result
    WHERE step <= excluded.step AND result IS NULL;
END;

CREATE TEMP TRIGGER deliver INSTEAD OF INSERT ON change WHEN NEW.verb = 'deliver' BEGIN
    UPDATE scene SET delivered = 1 WHERE key = NEW.key AND result IS NOT NULL;
END;

CREATE TEMP TRIGGER abandon INSTEAD OF INSERT ON change WHEN NEW.verb = 'abandon' BEGIN
    INSERT OR IGNORE INTO abandoned SELECT scene_uuid FROM scene WHERE key = NEW.key AND scene_uuid IS NOT NULL;
    UPDATE scene SET scene_uuid = NULL WHERE key = NEW.key;
END;

CREATE TEMP TRIGGER forget_abandoned INSTEAD OF INSERT ON change WHEN NEW.verb = 'invalidated' BEGIN
    DELETE FROM abandoned WHERE scene_uuid = NEW.scene_uuid;
END;

CREATE TEMP TRIGGER retry_failed INSTEAD OF INSERT ON change WHEN NEW.verb = 'retry_failed' BEGIN
    INSERT OR IGNORE INTO abandoned
    SELECT scene_uuid FROM scene WHERE scene_uuid IS NOT NULL AND json_extract(result, '$.status') = 'failed';
    DELETE FROM scene WHERE json_extract(result, '$.status') = 'failed';
END;
"""
"""What changes do: a trigger for each verb. Like the view that they hang on, they are never in the file."""

APPLY = """
INSERT INTO change
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'),
    json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]')
FROM json_each(?)
"""
"""Makes all the changes of a JSON list of them, in its order."""

RECALL = """
SELECT key, step, fingerprint, scene_uuid, preannotation_uuid, result, delivered FROM scene
WHERE key IN (SELECT value FROM json_each(?))
"""
"""Finds the scenes of a JSON list of keys."""

COUNTS = "SELECT step, json_extract(result, '$.status'), count(*) FROM scene GROUP BY 1, 2"
FAILURES = """
SELECT key, json_extract(result, '$.error') FROM scene WHERE json_extract(result, '$.status') = 'failed' ORDER BY key
"""
ABANDONED = "SELECT scene_uuid FROM abandoned ORDER BY scene_uuid"


class Change(NamedTuple):
    """A row of the view `change`. Its texts are escaped."""

    verb: str
    key: str | None = None
    step: int | None = None
    fingerprint: str | None = None
    scene_uuid: str | None = None
    preannotation_uuid: str | None = None
    result: str | None = None


def escaped(text: str) -> str:
    """A text as it is written in JSON: SQLite cannot keep every character that a string may have."""
    return json.dumps(text)[1:-1]


def unescaped(text: str) -> str:
    """The text that was escaped."""
    return str(json.loads(f'"{text}"'))
