"""What an OpenLABEL annotation consists of: metadata, sensors, elements, and frames in which elements have data."""

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.data import TYPES, object_data, plain_data
from kognic_aio.emulator.state.openlabel.shapes import (
    DIGITS,
    UID,
    Shape,
    anything,
    listing,
    mapping,
    numbers,
    one_of,
    record,
    text_or,
    text_or_whole_number,
    whole_number,
)

SCHEMA_VERSION = "1.0.0"

DATA: dict[str, tuple[str, Shape]] = {
    "actions": ("action_data", plain_data),
    "contexts": ("context_data", plain_data),
    "events": ("event_data", plain_data),
    "objects": ("object_data", object_data),
}
"""The elements that have data, with the key and the shape of that data."""

TRANSFORMS = (
    record({"matrix4x4": numbers()}, {}),
    record({"quaternion": numbers(4), "translation": numbers(3)}, {}),
    record({"euler_angles": numbers(3), "translation": numbers(3)}, {"sequence": Body.string}),
)


def transform(value: Body) -> None:
    """A rotation and a translation, as a matrix, with a quaternion or with Euler angles."""
    keys = value.entries().keys()
    matrix, quaternion, euler = TRANSFORMS
    (matrix if "matrix4x4" in keys else quaternion if "quaternion" in keys else euler)(value)


frame_intervals = listing(record({}, {"frame_start": whole_number, "frame_end": whole_number}))

metadata = record(
    {"schema_version": one_of(SCHEMA_VERSION)},
    dict.fromkeys(("annotator", "comment", "file_version", "name", "tagged_file"), Body.string),
    extensible=True,
)

stream = record(
    {},
    {
        "description": Body.string,
        "stream_properties": Body.entries,
        "type": one_of("camera", "lidar", "radar", "gps_imu", "other"),
        "uri": Body.string,
    },
)

coordinate_system = record(
    {"parent": Body.string, "type": Body.string},
    {"children": listing(Body.string), "pose_wrt_parent": transform},
    extensible=True,
)

pointer = record(
    {"frame_intervals": frame_intervals},
    {"attribute_pointers": mapping(one_of("num", "text", "boolean", "vec")), "type": one_of(*TYPES)},
    extensible=True,
)

ontology = record(
    {"uri": Body.string},
    {"boundary_list": listing(Body.string), "boundary_mode": one_of("include", "exclude")},
    extensible=True,
)

rdf_agent = record({}, {"type": one_of("object", "action", "event", "context"), "uid": Body.string}, extensible=True)

tag = record(
    {"ontology_uid": Body.string, "type": Body.string},
    {"resource_uid": Body.string, "tag_data": text_or(plain_data)},
    extensible=True,
)

relation = record(
    {
        "name": Body.string,
        "rdf_objects": listing(rdf_agent),
        "rdf_subjects": listing(rdf_agent),
        "type": Body.string,
    },
    {"frame_intervals": frame_intervals, "ontology_uid": Body.string, "resource_uid": Body.string},
)


def _element(data_key: str, data: Shape, more: dict[str, Shape]) -> Shape:
    optional = {
        data_key: data,
        f"{data_key}_pointers": mapping(pointer),
        "frame_intervals": frame_intervals,
        "ontology_uid": Body.string,
        "resource_uid": Body.string,
        **more,
    }
    return record({"name": Body.string, "type": Body.string}, optional)


ELEMENTS: dict[str, Shape] = {
    name: mapping(_element(key, data, {"coordinate_system": Body.string} if name == "objects" else {}), UID)
    for name, (key, data) in DATA.items()
}

frame_properties = record(
    {},
    {
        "streams": mapping(stream),
        "timestamp": text_or_whole_number,
        "transforms": mapping(
            record({"dst": Body.string, "src": Body.string, "transform_src_to_dst": transform}, {}, extensible=True)
        ),
        "external_id": Body.string,
    },
    extensible=True,
)

frame = record(
    {},
    {
        "frame_properties": frame_properties,
        "relations": mapping(anything, UID),
        **{name: mapping(record({}, {key: data}), UID) for name, (key, data) in DATA.items()},
    },
)

openlabel = record(
    {"metadata": metadata},
    {
        **ELEMENTS,
        "coordinate_systems": mapping(coordinate_system),
        "frame_intervals": frame_intervals,
        "frames": mapping(frame, DIGITS),
        "ontologies": mapping(text_or(ontology), UID),
        "relations": mapping(relation, UID),
        "resources": mapping(Body.string, UID),
        "streams": mapping(stream),
        "tags": mapping(tag, UID),
    },
)

annotation = record({"openlabel": openlabel}, {})
