"""A pre-annotation for any scene with images."""

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from kognic_aio.model import CamerasSequence, LidarsAndCamerasSequence

BOX = (320.0, 180.0, 60.0, 40.0)
"""Middle, width and height in pixels."""


def car_ahead(scene: CamerasSequence | LidarsAndCamerasSequence) -> dict[str, Any]:
    """OpenLABEL with one car, a box in the first image of each frame."""
    car = str(uuid5(NAMESPACE_URL, scene.external_id))
    camera = scene.frames[0].images[0].sensor_name
    box = {"name": "box", "val": BOX, "attributes": {"text": [{"name": "stream", "val": camera}]}}
    frames = {
        str(index): {
            "frame_properties": {"timestamp": frame.relative_timestamp, "external_id": frame.frame_id},
            "objects": {car: {"object_data": {"bbox": [box]}}},
        }
        for index, frame in enumerate(scene.frames)
    }
    return {
        "openlabel": {
            "metadata": {"schema_version": "1.0.0"},
            "streams": {camera: {"type": "camera"}},
            "objects": {car: {"name": car, "type": "Car"}},
            "frames": frames,
        }
    }
