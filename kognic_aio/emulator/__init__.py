"""A local Kognic platform over HTTP, to test against: what moto is for AWS.

    async with Emulator() as emulator, KognicIOClient(**emulator.client_options()) as client:
        ...

`emulator.platform` is the state: set it up before a test, and look at it afterwards. `emulator.recorder` is what the
server saw of its clients. A fresh platform holds the projects `project-a` and `project-b` of the platform's guide,
and the calibration `CALIBRATION_ID` with the sensors `CAMERAS` and `LIDARS`. It also holds the inputs `INPUT_UUIDS`.
The first has the annotation `ANNOTATION_ID` and an automatic review, and its scene has the pre-annotation
`PRE_ANNOTATION_ID`. The second has the task `TASK_ID`, which waits for one of the users `WORKFORCE`.

It behaves as the real platform does, where that is known. Where it is not, options choose between the possible
behaviours: a new scene may be unknown for a while (`visibility_lag`), and a status query may leave out unknown scenes
(`unknown_scenes`). Pre-annotations are validated as `kognic-openlabel` does, and must fit their scene. Processing
fails if the IMU data does not span the frames, or if a CSV has an unknown column. With `reads_files`, every file is
read and must be what its name says. That is the default of `kognicutil emulator`, but not of `Emulator`, because tests
often send made-up bytes.

`emulator.faults` makes things go wrong. The module `faults` describes what can, and how to say when.

    emulator.faults.add(faults.Drop(after_effect=True), on=faults.COMMIT)

It is built as routes over state over errors: `routes` has one short function per endpoint, `state` the rules without
HTTP, and `errors` the ways to say no. `files` knows what images and point clouds must look like. `front_door` does
what all requests have in common, and `injection` puts faults on the wire.
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
