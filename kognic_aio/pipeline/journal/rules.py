"""What is in the file of a journal, in SQL: the tables, and what each change does to them."""

import json
from typing import NamedTuple

from kognic_aio.pipeline.journal.entry import Step


def escaped(text: str) -> str:
    """A text as it is written in JSON: SQLite cannot keep every character that a string may have."""
    return json.dumps(text)[1:-1]


def unescaped(text: str) -> str:
    """The text that was escaped."""
    return str(json.loads(f'"{text}"'))


APPLICATION_ID = 0x4B6F676A
"""Tells a journal from other databases."""

SCHEMA_VERSION = 2
FIRST_VERSION = 1
"""Which is upgraded when it is opened."""

MAX_ROW_SIZE = 2**20
"""Characters that all texts of a row take at most. Those of a scene take some hundred."""

REFUSED = """
CREATE TABLE refused (
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (key, fingerprint)
) WITHOUT ROWID;
"""
"""Contents that were refused, as another goes by their key. One without an error is to be tried again.

Of a fingerprint it keeps what `kin_of` gives, as a script that makes its calibrations anew brings others in each run.
In SQL, that is `substr(fingerprint, instr(fingerprint, '/') + 1)`.
"""

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
    delivered INTEGER NOT NULL DEFAULT 0,
    outline TEXT
) WITHOUT ROWID;
CREATE TABLE abandoned (scene_uuid TEXT PRIMARY KEY) WITHOUT ROWID;
{REFUSED}
"""

FIRST_SCHEMA = """
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
"""The tables of version 1."""

UPGRADE = f"""
BEGIN;
ALTER TABLE scene ADD COLUMN outline TEXT;
{REFUSED}
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""
"""Makes a journal of version 1 one of today. What it knows stays as it is."""

RULES = """
CREATE TEMP VIEW change (verb, key, step, fingerprint, scene_uuid, preannotation_uuid, result, outline)
AS SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL;

-- The scene that was started before has to be invalidated, unless it has become an input.
CREATE TEMP TRIGGER start_afresh INSTEAD OF INSERT ON change WHEN NEW.verb = 'start' BEGIN
    INSERT OR IGNORE INTO abandoned
    SELECT scene_uuid FROM scene
    WHERE key = NEW.key AND scene_uuid IS NOT NULL AND scene_uuid IS NOT NEW.scene_uuid
    AND json_extract(result, '$.status') IS NOT 'created';

    INSERT OR REPLACE INTO scene (key, step, fingerprint, scene_uuid, preannotation_uuid, outline)
    VALUES (NEW.key, NEW.step, NEW.fingerprint, NEW.scene_uuid, NEW.preannotation_uuid, NEW.outline);
    DELETE FROM refused WHERE key = NEW.key AND fingerprint = substr(NEW.fingerprint, instr(NEW.fingerprint, '/') + 1);
END;

-- What is known already stays known; no step goes back, and a scene that has settled (has a result) takes no more.
CREATE TEMP TRIGGER advance INSTEAD OF INSERT ON change WHEN NEW.verb = 'advance' BEGIN
    INSERT INTO scene (key, step, fingerprint, scene_uuid, preannotation_uuid, result, outline)
    VALUES (NEW.key, NEW.step, NEW.fingerprint, NEW.scene_uuid, NEW.preannotation_uuid, NEW.result, NEW.outline)
    ON CONFLICT (key) DO UPDATE SET
        step = excluded.step,
        fingerprint = coalesce(excluded.fingerprint, fingerprint),
        outline = coalesce(excluded.outline, outline),
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

CREATE TEMP TRIGGER refuse INSTEAD OF INSERT ON change WHEN NEW.verb = 'refuse' BEGIN
    INSERT OR REPLACE INTO refused
    VALUES (NEW.key, substr(NEW.fingerprint, instr(NEW.fingerprint, '/') + 1), NEW.result);
END;

CREATE TEMP TRIGGER uphold INSTEAD OF INSERT ON change WHEN NEW.verb = 'uphold' BEGIN
    DELETE FROM refused WHERE key = NEW.key AND error IS NOT NULL;
END;

-- What has become an input is set aside, under the key that `aside` makes: it is known, should it come again.
CREATE TEMP TRIGGER make_way INSTEAD OF INSERT ON change WHEN NEW.verb = 'make_way' BEGIN
    UPDATE OR REPLACE scene SET key = key || '\\u0000' || coalesce(substr(fingerprint, instr(fingerprint, '/') + 1), '')
    WHERE key = NEW.key AND json_extract(result, '$.status') = 'created';

    INSERT OR IGNORE INTO abandoned SELECT scene_uuid FROM scene WHERE key = NEW.key AND scene_uuid IS NOT NULL;
    DELETE FROM scene WHERE key = NEW.key;
END;

CREATE TEMP TRIGGER retry_failed INSTEAD OF INSERT ON change WHEN NEW.verb = 'retry_failed' BEGIN
    INSERT OR IGNORE INTO abandoned
    SELECT scene_uuid FROM scene WHERE scene_uuid IS NOT NULL AND json_extract(result, '$.status') = 'failed';
    DELETE FROM scene WHERE json_extract(result, '$.status') = 'failed';
    UPDATE refused SET error = NULL;
END;
"""
"""What changes do: a trigger for each verb. Like the view that they hang on, they are never in the file."""

APPLY = """
INSERT INTO change
SELECT
    json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), json_extract(value, '$[3]'),
    json_extract(value, '$[4]'), json_extract(value, '$[5]'), json_extract(value, '$[6]'), json_extract(value, '$[7]')
FROM json_each(?)
"""
"""Makes all the changes of a JSON list of them, in its order."""

RECALL = """
SELECT
    key, step, fingerprint, scene_uuid, preannotation_uuid, result, delivered, outline,
    (
        SELECT json_group_object(substr(CAST(fingerprint AS TEXT), 1, 1000), error IS NULL)
        FROM (SELECT fingerprint, error FROM refused WHERE refused.key = scene.key LIMIT 2000)
    )
FROM scene
WHERE key IN (SELECT value FROM json_each(?))
"""
"""Finds the scenes of a JSON list of keys. What was refused is bounded, as SQLite puts it together without a limit."""

UNFINISHED = "SELECT key FROM scene WHERE step < CAST(? AS INTEGER) AND scene_uuid IS NOT NULL ORDER BY key"
"""Finds the keys of scenes that the platform knows and that have not come to a step, which is given by its number."""

_SETTLED = tuple(Step).index(Step.SETTLED)

_STATUS = """
CASE WHEN result IS NULL THEN NULL
WHEN typeof(result) = 'text' AND json_valid(result) THEN coalesce(json_extract(result, '$.status'), '')
ELSE '' END
"""
"""How a scene ended, '' if that cannot be read: a row that is damaged has to be found, to be named."""

COUNTS = f"""
SELECT step, {_STATUS} AS status, count(*), min(key) FROM scene GROUP BY step, status
UNION ALL
SELECT {_SETTLED}, 'failed', count(*), min(key) FROM refused WHERE error IS NOT NULL HAVING count(*)
"""  # noqa: S608  # made of constants
FAILURES = f"""
SELECT key, CASE {_STATUS} WHEN 'failed' THEN json_extract(result, '$.error') ELSE result END
FROM scene WHERE {_STATUS} IN ('failed', '')
UNION ALL
SELECT key, error FROM refused WHERE error IS NOT NULL
ORDER BY key
"""  # noqa: S608  # made of constants
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
    outline: str | None = None
