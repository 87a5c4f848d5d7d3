"""A process that ingests the scenes with kognic-io, and says of each which result it has been given.

kognic-io takes scenes of one type at a time, so that each type is a call with a client of its own: what ends one call
leaves the others alone. Two types it refuses, `Lidars` and `LidarsSequence`. Its defaults hold but for `IMPATIENT`, of
which it takes the timeout also for the longest pause between its tries at an API, and `sleep_time`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from kognic.io.client import KognicIOClient
from kognic.io.tools.input_creation import create_inputs
from kognic.io.tools.model import SceneWithPreAnnotation
from kognic.openlabel.models import OpenLabelAnnotation

from benchmarks.child import client_options
from tests.faults.ingestion import BATCH, OPENLABEL, PROJECT, SLEEP_TIME, Member, members
from tests.scenes import KINDS, OFFICIAL, SOURCES, build


def ingest(options: str, count: str) -> None:
    """Ingest the scenes of each type."""
    given = json.loads(options)
    scenes: dict[str, dict[str, SceneWithPreAnnotation]] = {kind: {} for kind in KINDS}
    for member in members(int(count)):
        scenes[member.kind][member.external_id] = _made(member)
    for alike in scenes.values():
        _ingest_alike(client_options(given), alike)


def _made(member: Member) -> SceneWithPreAnnotation:
    scene = build(member.kind, SOURCES["bytes"], Path(), OFFICIAL).scene
    scene.external_id = member.external_id
    annotation = OpenLabelAnnotation.model_validate(OPENLABEL) if member.annotated else None
    return SceneWithPreAnnotation(scene=scene, pre_annotation=annotation)


def _ingest_alike(options: dict[str, Any], scenes: dict[str, SceneWithPreAnnotation]) -> None:
    """Ingest scenes of one type; those without a result are said to have the exception that ended the call."""
    silent = set(scenes)
    try:
        client = KognicIOClient(**options)
        for result in create_inputs(client, list(scenes.values()), PROJECT, batch=BATCH, sleep_time=SLEEP_TIME):
            _say(str(result.external_id), result.status.value)
            silent.discard(str(result.external_id))
    except Exception as error:
        for external_id in silent:
            _say(external_id, repr(error))


def _say(external_id: str, result: str) -> None:
    print(json.dumps({external_id: result}), flush=True)


if __name__ == "__main__":
    ingest(*sys.argv[1:])
