"""OpenLABEL that has some of everything, for a sequence of one camera and one lidar at 0 and 100 ms."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

CAR = "7a1f6f0e-0b7d-4a55-9f0e-0d6f6f1f0001"
INTERVALS = [{"frame_start": 0, "frame_end": 1}]

STREAM = {"text": [{"name": "stream", "val": "CAM"}]}
PLAIN: dict[str, Any] = {
    "boolean": [{"name": "parked", "type": "value", "val": True, "attributes": {"num": [{"val": 1}]}}],
    "num": [{"name": "speed", "type": "min", "val": 13.5, "coordinate_system": "world"}],
    "text": [{"name": "colour", "type": "value", "val": ""}],
    "vec": [{"name": "mixed", "type": "range", "val": [1, 2.5, "three"]}],
}
GEOMETRIES: dict[str, Any] = {
    "area_reference": [{"name": "area", "reference_type": "line_reference", "val": [1, 2, 3]}],
    "bbox": [{"name": "box", "val": [320, 180.5, 60, 40], "attributes": STREAM, "confidence": 0.5}],
    "binary": [{"name": "mask", "data_type": "bytes", "encoding": "base64", "val": "AAAA"}],
    "cuboid": [{"name": "cuboid", "val": [1, 2, 3, 0, 0, 0, 1, 4.5, 1.8, 1.5], "coordinate_system": "lidar"}],
    "image": [{"name": "icon", "encoding": "base64", "mime_type": "image/gif", "val": "AAAA"}],
    "line_reference": [{"name": "line", "reference_type": "point3d", "val": [1, 2]}],
    "mat": [{"name": "mat", "channels": 1, "data_type": "float", "height": 1, "width": 2.0, "val": [1, 2]}],
    "mesh": [
        {
            "name": "mesh",
            "coordinate_system": "world",
            "area_reference": {"1": {"val": [1]}},
            "line_reference": {"1": {"val": [1, 2]}},
            "point3d": {"1": {"name": "p", "val": [1, 2, 3]}},
        }
    ],
    "point2d": [{"name": "p2", "id": 1, "val": [1, 2]}],
    "point3d": [{"name": "p3", "id": 1, "val": [1, 2, 3]}],
    "poly2d": [
        {"name": "lane", "closed": False, "mode": "MODE_POLY2D_ABSOLUTE", "val": [1, 2, 3], "hierarchy": [1, 2, 3, 4]},
        {"name": "coded", "closed": True, "mode": "MODE_POLY2D_RS6FCC", "val": ["1", "AAAA"]},
    ],
    "poly3d": [{"name": "kerb", "closed": False, "val": [1, 2, 3, 4, 5, 6]}],
    "rbbox": [{"name": "turned", "val": [1, 2, 3, 4, 0.5]}],
}
QUATERNION = {"quaternion": [0, 0, 0, 1], "translation": [1, 2, 3]}
EULER = {"euler_angles": [0, 0, 0.5], "translation": [1, 2, 3], "sequence": "ZYX"}


def _element(name: str, data: dict[str, Any], pointed: str, kind: str, **more: Any) -> dict[str, Any]:
    pointer = {"type": kind, "frame_intervals": INTERVALS, "attribute_pointers": {"stream": "text"}}
    return {
        "name": name,
        "type": name.capitalize(),
        "ontology_uid": "1",
        "resource_uid": "file",
        "frame_intervals": INTERVALS,
        f"{name}_data": data,
        f"{name}_data_pointers": {pointed: pointer},
        **more,
    }


def _frame(index: int) -> dict[str, Any]:
    transform = {"src": "lidar", "dst": "world", "transform_src_to_dst": QUATERNION, "note": 1}
    return {
        "frame_properties": {
            "timestamp": index * 100,
            "external_id": str(index),
            "streams": {"CAM": {"uri": f"{index}.jpg"}},
            "transforms": {"lidar_to_world": transform},
            "weather": "rain",
        },
        "objects": {CAR: {"object_data": GEOMETRIES}},
        "actions": {"1": {"action_data": PLAIN}},
        "contexts": {"-1": {}},
        "events": {"3": {"event_data": {"num": [{"val": 1}]}}},
        "relations": {"4": {}},
    }


def everything() -> dict[str, Any]:
    """A document that the shapes of OpenLABEL and all references in it agree with."""
    sides = {"rdf_subjects": [{"type": "object", "uid": CAR}], "rdf_objects": [{"type": "event", "uid": "3"}]}
    openlabel = {
        "metadata": {"schema_version": "1.0.0", "annotator": "me", "comment": "", "tagged_file": "a", "own": [1]},
        "ontologies": {"1": "https://ontology", "2": {"uri": "u", "boundary_list": ["a"], "boundary_mode": "include"}},
        "resources": {"1": "file"},
        "streams": {
            "CAM": {"type": "camera", "description": "d", "uri": "a.jpg", "stream_properties": {"width_px": 1920}},
            "lidar": {"type": "lidar"},
            "imu": {"type": "gps_imu"},
        },
        "coordinate_systems": {
            "world": {"type": "scene_cs", "parent": "", "children": ["lidar"]},
            "lidar": {"type": "sensor_cs", "parent": "world", "pose_wrt_parent": EULER, "children": ["CAM"]},
            "CAM": {"type": "sensor_cs", "parent": "lidar", "pose_wrt_parent": {"matrix4x4": [1] * 16}, "own": 1},
        },
        "frame_intervals": INTERVALS,
        "objects": {CAR: _element("object", {**PLAIN, **GEOMETRIES}, "box", "bbox", coordinate_system="world")},
        "actions": {"1": _element("action", PLAIN, "speed", "num")},
        "contexts": {"-1": _element("context", PLAIN, "colour", "text")},
        "events": {"3": _element("event", PLAIN, "parked", "boolean")},
        "relations": {"4": {"name": "sees", "type": "sees", "frame_intervals": [], "ontology_uid": "1", **sides}},
        "tags": {
            "1": {"type": "t", "ontology_uid": "1", "tag_data": "text", "own": 1},
            "2": {"type": "t", "ontology_uid": "1", "tag_data": PLAIN, "resource_uid": "1"},
        },
        "frames": {str(index): _frame(index) for index in range(2)},
    }
    whole: dict[str, Any] = json.loads(json.dumps({"openlabel": openlabel}))  # in which no two places are one object
    return whole


OTHERS: list[Any] = [None, 0, 7, -1, 1.5, 2.0, "", "x", "1", "value", True, [], [1], ["a"], [None], {}, {"a": 1}]


def mutated(document: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """A copy of a document with a change at a random place; of one that is empty, just a copy."""
    changed = copy.deepcopy(document)
    places = list(_places(changed))
    if not places:
        return changed
    holder, key = dice.choice(places)
    value = holder[key]
    match dice.randrange(6):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[dice.choice(["x", "7", "-7", "val", f"{CAR[:-1]}z", CAR.upper()])] = holder.pop(key)
        case 2 if isinstance(value, dict):
            value[dice.choice(["x", "7", "val", "name", "type"])] = copy.deepcopy(dice.choice(OTHERS))
        case 3 if isinstance(value, list):
            value.append(copy.deepcopy(dice.choice([*OTHERS, *value])))
        case _:
            holder[key] = copy.deepcopy(dice.choice(OTHERS))
    return changed


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key or index there."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)
