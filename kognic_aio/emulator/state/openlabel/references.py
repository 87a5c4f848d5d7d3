"""Checks that what one part of an annotation names is declared in another. The shapes are already checked."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from kognic_aio.emulator.state.body import Body
from kognic_aio.emulator.state.openlabel.elements import DATA

STREAM_ATTRIBUTE = "stream"
"""The name of the text that says to which sensor's data a geometry belongs."""

ELEMENTS = (*DATA, "relations")


def member(value: Body, *names: str) -> dict[str, Body]:
    """The members of an object at a path of keys; none if a key is missing or null."""
    for name in names:
        inner = value.entries().get(name)
        if inner is None or inner.value is None:
            return {}
        value = inner
    return value.entries()


def items(value: Body, name: str) -> Sequence[Body]:
    """The items of a list in an object; none if it is missing or null."""
    inner = value.entries().get(name)
    return [] if inner is None or inner.value is None else inner.items()


def check_references(openlabel: Body) -> None:
    """Check that all named streams, coordinate systems, elements, frames and data exist.

    Raises:
        BadRequestError: If something is named that is not declared.
    """
    systems = member(openlabel, "coordinate_systems")
    streams = member(openlabel, "streams")
    _check_coordinate_systems(systems)
    for frame in member(openlabel, "frames").values():
        _check_frame(frame, openlabel, streams, systems)
    for element in ELEMENTS:
        for declared in member(openlabel, element).values():
            _check_system(declared, systems)
    for _, piece in _all_data(openlabel):
        _check_data(piece, streams, systems)
    _check_pointers(openlabel)
    _check_intervals(openlabel)


def _check_coordinate_systems(systems: dict[str, Body]) -> None:
    for system in systems.values():
        parent = system.entries()["parent"]
        if parent.value:  # the root has none
            _check_declared(parent, systems, "coordinate_systems")
        for child in items(system, "children"):
            _check_declared(child, systems, "coordinate_systems")


def _check_frame(frame: Body, openlabel: Body, streams: Collection[str], systems: Collection[str]) -> None:
    for name in ELEMENTS:
        declared = member(openlabel, name)
        for uid, element in member(frame, name).items():
            if uid not in declared:
                raise element.error(f"is not declared: openlabel.{name} has no {uid}")
    for name, stream in member(frame, "frame_properties", "streams").items():
        if name not in streams:
            raise stream.error(f"is not declared: openlabel.streams has no {name!r}")
    for transform in member(frame, "frame_properties", "transforms").values():
        for end in ("src", "dst"):
            _check_declared(transform.entries()[end], systems, "coordinate_systems")


def _check_data(data: Body, streams: Collection[str], systems: Collection[str]) -> None:
    _check_system(data, systems)
    attributes = data.entries().get("attributes")
    if attributes is None or attributes.value is None:
        return
    for text in items(attributes, "text"):
        given = text.entries()
        if "name" in given and given["name"].value == STREAM_ATTRIBUTE:
            _check_declared(given["val"], streams, "streams")


def _check_system(value: Body, systems: Collection[str]) -> None:
    system = value.entries().get("coordinate_system")
    if system is not None and system.value is not None:
        _check_declared(system, systems, "coordinate_systems")


def _check_declared(name: Body, declared: Collection[str], where: str) -> None:
    if name.value not in declared:
        raise name.error(f"{name.value!r} is not declared in openlabel.{where}")


def _with_data(place: Body) -> Iterator[tuple[tuple[str, str], str, Body]]:
    """The elements of the annotation or of a frame that may have data: kind and uid, key of the data, element."""
    for name, (key, _) in DATA.items():
        for uid, element in member(place, name).items():
            yield (name, uid), key, element


def _all_data(openlabel: Body) -> Iterator[tuple[tuple[str, str], Body]]:
    """Every piece of data in the annotation, with the kind and the uid of its element."""
    for place in (openlabel, *member(openlabel, "frames").values()):
        for owner, key, element in _with_data(place):
            for kind in member(element, key):
                yield from ((owner, piece) for piece in items(element.entries()[key], kind))


def _check_pointers(openlabel: Body) -> None:
    """Check that each pointer has the name and the type of some data of its element."""
    found: defaultdict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for owner, piece in _all_data(openlabel):
        kind = piece.path.rpartition(".")[2].partition("[")[0]
        found[owner].add((piece.value.get("name"), kind))
    for owner, key, element in _with_data(openlabel):
        for target, pointer in member(element, f"{key}_pointers").items():
            _check_pointer(target, pointer, found[owner])


def _check_pointer(target: str, pointer: Body, found: set[tuple[str, str]]) -> None:
    kinds = {kind for name, kind in found if name == target}
    wanted = pointer.value.get("type")
    if not kinds:
        raise pointer.error(f"points at no data: the element has none with the name {target!r}")
    if wanted is not None and wanted not in kinds:
        raise pointer.error(f"points at a {wanted}, but the data {target!r} is {' and '.join(sorted(kinds))}")


def _check_intervals(openlabel: Body) -> None:
    frames = {number.lstrip("0") or "0" for number in member(openlabel, "frames")}
    for interval in _all_intervals(openlabel):
        ends = {name: end for name, end in interval.entries().items() if end.value is not None}
        for end in ends.values():
            if frames and str(int(end.value)) not in frames:
                raise end.error(f"{end.value} is not declared in openlabel.frames")
        first, last = ends.get("frame_start"), ends.get("frame_end")
        if first is not None and last is not None and last.value < first.value:
            raise last.error(f"{last.value} is before frame_start, {first.value}")


def _all_intervals(openlabel: Body) -> Iterator[Body]:
    yield from items(openlabel, "frame_intervals")
    for kind in ELEMENTS:
        for element in member(openlabel, kind).values():
            yield from items(element, "frame_intervals")
            pointers = member(element, f"{DATA[kind][0]}_pointers") if kind in DATA else {}
            for pointer in pointers.values():
                yield from items(pointer, "frame_intervals")
