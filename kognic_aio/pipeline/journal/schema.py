"""The tables of a journal, today's and those of earlier versions, and how these are upgraded."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from kognic_aio.pipeline.journal.entry import STEPS

APPLICATION_ID = 0x4B6F676A
"""Tells a journal from other databases."""

DESTINATION = "CREATE TABLE destination (content TEXT NOT NULL)"

SCENE = """CREATE TABLE scene (
    key TEXT PRIMARY KEY, step INTEGER NOT NULL, fingerprint TEXT, scene_uuid TEXT, preannotation_uuid TEXT,
    result TEXT, delivered INTEGER NOT NULL DEFAULT 0{}
) WITHOUT ROWID"""

ABANDONED = "CREATE TABLE abandoned (scene_uuid TEXT PRIMARY KEY) WITHOUT ROWID"

REFUSED = """CREATE TABLE refused (
    key TEXT NOT NULL, fingerprint TEXT NOT NULL, error TEXT, PRIMARY KEY (key, fingerprint)
) WITHOUT ROWID"""

FACT = """CREATE TABLE fact (
    key TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, project TEXT NOT NULL, batch TEXT NOT NULL,
    content TEXT NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID"""
"""The facts. Those of a scene lie together, in their order."""

ORPHAN = "CREATE INDEX orphan ON fact (content) WHERE kind = 'orphan'"
"""Every run asks for the orphans when it starts."""

SCHEMAS = (
    (DESTINATION, SCENE.format(""), ABANDONED),
    (DESTINATION, SCENE.format(", outline TEXT"), ABANDONED, REFUSED),
    (DESTINATION, FACT, ORPHAN),
)
"""What is in a journal of each version, the first of which is 1."""

VERSION = len(SCHEMAS)

CREATE = "BEGIN; {}; PRAGMA application_id = {}; PRAGMA user_version = {};".format(
    "; ".join(SCHEMAS[-1]), APPLICATION_ID, VERSION
)
"""Begins a transaction that makes an empty journal. The destination has to be inserted."""

LARGE_ROWS = (
    "SELECT key FROM scene WHERE length(result) > ? LIMIT 1",
    "SELECT key FROM scene WHERE max(coalesce(length(result), 0), coalesce(length(outline), 0)) > ? LIMIT 1",
    "SELECT key FROM fact WHERE length(key) + length(content) > ? LIMIT 1",
)
"""For each version a query for the key of a row that is too large."""

_STEP = f"json_extract('{json.dumps(STEPS)}', '$[' || step || ']')"
_FIELDS = {"sceneUuid": "scene_uuid", "preannotationUuid": "preannotation_uuid", "fingerprint": "fingerprint"}
_TEXTS = ", ".join(f"""'{name}', json('"' || {column} || '"')""" for name, column in _FIELDS.items())
_END = "json_extract(result, '$.status')"

UPGRADES = (
    f"BEGIN; ALTER TABLE scene ADD COLUMN outline TEXT; {REFUSED}; PRAGMA user_version = 2; COMMIT;",
    f"""BEGIN; {FACT}; {ORPHAN};
    INSERT INTO fact SELECT '"' || key || '"', 1, coalesce({_END}, {_STEP}), project, batch,
    json_patch('{{}}', json_object({_TEXTS}, 'outline', outline, 'result', json(result)))
    FROM scene, place;
    INSERT INTO fact SELECT '"' || key || '"', 2, 'delivered', project, batch, '{{}}' FROM scene, place WHERE delivered;
    INSERT INTO fact SELECT '"' || key || '"', 2 + row_number() OVER (), iif(error IS NULL, 'retried', 'refused'),
    project, batch, json_patch('{{}}', json_object('kin', json('"' || fingerprint || '"'), 'error', json(error)))
    FROM refused, place;
    INSERT INTO fact SELECT '""', row_number() OVER (), 'orphan', project, batch,
    '{{"sceneUuid":"' || scene_uuid || '"}}' FROM abandoned, place;
    DROP TABLE scene; DROP TABLE abandoned; DROP TABLE refused; PRAGMA user_version = 3; COMMIT;""",  # noqa: S608
)
"""Make a journal of each version one of the next. What it knows stays known.

A temporary table `place` has the project and the batch, which the facts of earlier versions do not name.
"""


def difference(found: Iterable[Sequence[Any]], version: int) -> str | None:
    """What a schema has that the version does not, or lacks; None if they are the same.

    So no trigger, view, index, check or expression of somebody else's runs when a journal is read or written.

    Args:
        found: Type, name and SQL of all that is in the file.
        version: The version.
    """
    missing = {_tidy(sql) for sql in SCHEMAS[version - 1]}
    for kind, name, sql in found:
        if not isinstance(sql, str) or _tidy(sql) not in missing:
            return f"the {kind!r:.20} {name!r:.100}"
        missing.remove(_tidy(sql))
    return f"no {next(iter(missing)):.30}" if missing else None


def _tidy(sql: str) -> str:
    """The SQL without the spaces that do not matter: a column that ALTER TABLE adds leaves others."""
    return re.sub(r" ?([(),]) ?", r"\1", " ".join(sql.split()))
