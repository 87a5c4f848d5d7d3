"""A local Kognic platform over HTTP, to test against: what moto is for AWS.

    async with Emulator() as emulator, KognicIOClient(**emulator.client_options()) as client:
        ...

`emulator.platform` is the state, to set up before a test and to look at after it; `emulator.recorder` is what the
server saw of its clients. A fresh platform holds the projects `project-a` and `project-b` of the platform's guide
and the calibration `CALIBRATION_ID` with the sensors `CAMERAS` and `LIDARS`. Of the inputs `INPUT_UUIDS` the first
has the annotation `ANNOTATION_ID` and an automatic review, and its scene the pre-annotation `PRE_ANNOTATION_ID`; the
second waits with the task `TASK_ID` for one of the users `WORKFORCE`.

It behaves as the real platform does where that is known, and in each way that is possible where it is not: a new
scene may be unknown for a while (`visibility_lag`), and a status query may leave out what it does not know
(`unknown_scenes`). Pre-annotations are validated as `kognic-openlabel` does, and must fit their scene. IMU data that
does not span the frames lets processing fail, and so does a CSV with an unknown column; with `reads_files` every file
is read, and must be what its name says. That is the default of `kognicutil emulator`, not of `Emulator`, as tests
often send made-up bytes.

`emulator.faults` lets things go wrong: the module `faults` tells what can, and how to say when.

    emulator.faults.add(faults.Drop(after_effect=True), on=faults.COMMIT)

It is built as routes over state over errors: `routes` holds one short function per endpoint, `state` the rules
without any HTTP, `files` what images and point clouds must look like, `errors` the ways to say no, and `front_door`
does what all requests have in common; `injection` does the faults on the wire.
"""

from kognic_aio.emulator import faults
from kognic_aio.emulator.errors import PlatformError
from kognic_aio.emulator.rate_limit import RateLimit
from kognic_aio.emulator.recorder import RecordedRequest, Recorder
from kognic_aio.emulator.server import Emulator
from kognic_aio.emulator.state.accounts import CLIENT_ID, CLIENT_SECRET
from kognic_aio.emulator.state.input import Input
from kognic_aio.emulator.state.platform import Platform
from kognic_aio.emulator.state.scene import Scene
from kognic_aio.emulator.state.seeds import (
    ANNOTATION_ID,
    CALIBRATION_EXTERNAL_ID,
    CALIBRATION_ID,
    CAMERAS,
    INPUT_UUIDS,
    LIDARS,
    ORGANIZATION_ID,
    PRE_ANNOTATION_ID,
    PROJECT_IDS,
    TASK_ID,
    WORKFORCE,
    WORKSPACE_ID,
)
from kognic_aio.emulator.state.storage import StoredObject
from kognic_aio.emulator.state.timing import Timing

__all__ = [
    "ANNOTATION_ID",
    "CALIBRATION_EXTERNAL_ID",
    "CALIBRATION_ID",
    "CAMERAS",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "INPUT_UUIDS",
    "LIDARS",
    "ORGANIZATION_ID",
    "PRE_ANNOTATION_ID",
    "PROJECT_IDS",
    "TASK_ID",
    "WORKFORCE",
    "WORKSPACE_ID",
    "Emulator",
    "Input",
    "Platform",
    "PlatformError",
    "RateLimit",
    "RecordedRequest",
    "Recorder",
    "Scene",
    "StoredObject",
    "Timing",
    "faults",
]
