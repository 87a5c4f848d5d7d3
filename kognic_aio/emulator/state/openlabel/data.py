"""The data of an element: numbers, texts and geometries, each with a name and attributes."""

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.shapes import (
    DIGITS,
    Shape,
    listing,
    mapping,
    nullable,
    numbers,
    one_of,
    record,
    text_or_number,
    whole_number,
)

CUBOID_VALUES = 10
"""Position x y z, rotation as a quaternion x y z w, size x y z."""


def attributes(value: Body) -> None:
    """The attributes of a piece of data: plain data, which may have attributes in turn."""
    plain_data(value)


COMMON: dict[str, Shape] = {"attributes": attributes, "coordinate_system": Body.string}
UNNAMED: dict[str, Shape] = {**COMMON, "name": Body.string}


def _named(required: dict[str, Shape], optional: dict[str, Shape] | None = None) -> Shape:
    return record({"name": Body.string, **required}, {**COMMON, **(optional or {})}, extensible=True)


def _plain(value: Shape, *types: str) -> Shape:
    return record({"val": value}, {**UNNAMED, "type": one_of(*types)}, extensible=True)


def _reference(length: int | None = None) -> Shape:
    optional = {
        "attributes": attributes,
        "name": Body.string,
        "reference_type": Body.string,
        "val": listing(whole_number, length),
    }
    return record({}, optional, extensible=True)


def poly_values(value: Body) -> None:
    """The values of a polyline: all numbers, or all strings if they are encoded."""
    items = value.items()
    item = Body.string if items and isinstance(items[0].value, str) else Body.number
    for each in items:
        item(each)


_POINT_3D = _named({"val": numbers(3)}, {"id": whole_number})

PLAIN: dict[str, Shape] = {
    "boolean": _plain(Body.flag, "value"),
    "num": _plain(Body.number, "value", "min", "max"),
    "text": _plain(Body.string, "value"),
    "vec": _plain(listing(text_or_number), "values", "range"),
}
"""The data that any element may have."""

MESH: dict[str, Shape] = {
    "area_reference": mapping(_reference(), DIGITS),
    "line_reference": mapping(_reference(2), DIGITS),
    "point3d": mapping(_POINT_3D, DIGITS),
    "coordinate_system": Body.string,
    "name": Body.string,
}

GEOMETRIES: dict[str, Shape] = {
    "area_reference": _reference(),
    "bbox": _named({"val": numbers(4)}),
    "binary": _named({"data_type": Body.string, "encoding": Body.string, "val": Body.string}),
    "cuboid": _named({"val": nullable(numbers(CUBOID_VALUES))}),
    "image": _named({"encoding": Body.string, "mime_type": Body.string, "val": Body.string}),
    "line_reference": _reference(2),
    "mat": _named(
        {
            "channels": Body.number,
            "data_type": Body.string,
            "height": Body.number,
            "val": numbers(),
            "width": Body.number,
        }
    ),
    "mesh": record({}, MESH, extensible=True),
    "point2d": _named({"val": numbers(2)}, {"id": whole_number}),
    "point3d": _POINT_3D,
    "poly2d": _named(
        {"closed": Body.flag, "mode": Body.string, "val": poly_values}, {"hierarchy": listing(whole_number, 4)}
    ),
    "poly3d": _named({"closed": Body.flag, "val": numbers()}),
    "rbbox": _named({"val": numbers(5)}),
}
"""The data that only objects may have."""

TYPES = (*PLAIN, *GEOMETRIES)

plain_data = record({}, {name: listing(shape) for name, shape in PLAIN.items()})
object_data = record({}, {name: listing(shape) for name, shape in {**PLAIN, **GEOMETRIES}.items()})
