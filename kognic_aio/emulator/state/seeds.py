"""What a fresh platform holds: the projects and batches in the examples of the platform's guide."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kognic_aio.emulator.state.calibrations import SensorKind
    from kognic_aio.emulator.state.platform import Platform

ORGANIZATION_ID: Final = 1
WORKSPACE_ID: Final = "6a2c1f0e-4d0b-4a55-9f0e-0d6f6f1f0001"

CALIBRATION_ID: Final = "c0ffee00-0000-4000-8000-000000000001"
CALIBRATION_EXTERNAL_ID: Final = "calibration-1"
CAMERAS: Final = ("CAM", "RFC01", "RFC02", "RFC11", "RFC21", "RFC51")
LIDARS: Final = ("lidar", "RFL01", "RFL02", "RFL11", "RFL12")

# The guide passes these to older calls, which take a scene's uuid for its input's. Here each is both.
INPUT_UUIDS: Final = ("0edb8f59-a8ea-4c9b-aebb-a3caaa6f2ba3", "37d9dda4-3a29-4fcb-8a71-6bf16d5a9c36")

BATCHES: Final = {
    "project-a": {"batch-1": "completed", "batch-2": "open", "batch-3": "pending"},
    "project-b": {"batch-1": "open"},
}

PROJECT_IDS: Final = {
    "project-a": "a0000000-0000-4000-8000-000000000001",
    "project-b": "b0000000-0000-4000-8000-000000000001",
}

# The users that tasks may be assigned to.
WORKFORCE: Final = (101, 102)

ANNOTATION_ID: Final = "5eeded00-0000-4000-8000-000000000001"
TASK_ID: Final = "5eeded00-0000-4000-8000-000000000002"

PRE_ANNOTATION_ID: Final = "5eeded00-0000-4000-8000-000000000003"

ANNOTATION: Final[dict[str, Any]] = {
    "openlabel": {
        "metadata": {"schema_version": "1.0.0"},
        "objects": {"7a1f6f0e-0b7d-4a55-9f0e-0d6f6f1f0001": {"name": "car-1", "type": "Car"}},
        "frames": {"0": {"frame_properties": {"timestamp": 0, "external_id": "0"}}},
    }
}

# Types of error by id and name: whether findings may point at a place or name an object.
ERROR_TYPES: Final = {
    "missing-object": {"pin_allowed": True, "object_allowed": False},
    "wrong-class": {"pin_allowed": True, "object_allowed": True},
    "other": {"pin_allowed": False, "object_allowed": False},
}

FEEDBACK_ITEMS: Final = (
    {"errorTypeId": "missing-object", "sensorId": "CAM", "frameId": "0", "pin": {"x": 960.0, "y": 540.0}},
)


def add_inputs(platform: "Platform") -> None:
    """Add the projects of the guide with their batches, a calibration, and two inputs."""
    for project, batches in BATCHES.items():
        platform.add_project(project, id=PROJECT_IDS[project])
        for batch, status in batches.items():
            platform.add_batch(project, batch, status=status)
    sensors: dict[str, SensorKind] = dict.fromkeys(CAMERAS, "camera")
    sensors.update(dict.fromkeys(LIDARS, "lidar"))
    platform.add_calibration(CALIBRATION_EXTERNAL_ID, sensors, id=CALIBRATION_ID)
    for index, uuid in enumerate(INPUT_UUIDS, start=1):
        platform.add_scene(f"seeded-{index}", uuid=uuid)
        platform.add_input(uuid, "project-a", "batch-2", uuid=uuid)


def add_work(platform: "Platform") -> None:
    """Let the first input be annotated and reviewed, and the second wait for its annotator."""
    annotated, waiting = INPUT_UUIDS
    platform.add_pre_annotation(annotated, ANNOTATION, external_id="seeded", id=PRE_ANNOTATION_ID)
    platform.add_annotation(annotated, ANNOTATION, id=ANNOTATION_ID)
    for name, rules in ERROR_TYPES.items():
        platform.add_error_type(name, id=name, **rules)
    platform.add_auto_review(annotated, FEEDBACK_ITEMS)
    platform.add_task(waiting, id=TASK_ID)
