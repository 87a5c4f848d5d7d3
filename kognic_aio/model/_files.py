"""Whether the files of a scene can be told apart."""

from collections.abc import Iterable

from kognic_aio.model._units import Problems
from kognic_aio.model.resource import Resource


def file_problems(scene: str, files: Iterable[Resource]) -> Problems:
    """What is wrong with the files of a scene, which is given by its external id."""
    by_id: dict[str, Resource] = {}
    for file in files:
        other = by_id.setdefault(file.resource_id, file)
        if other is not file and not _is_same_source(file, other):
            # The platform stores one object for a resource id, so one of the two would be lost.
            problem = f"resource_id {file.resource_id!r} stands for two files in scene {scene!r}"
            yield "resources", f"{problem}: {other.filename!r} and {file.filename!r}"
    by_data: dict[int, Resource] = {}
    for file in by_id.values():
        data = None if file.file_data is None else file.file_data.data
        if data is None or isinstance(data, bytes | bytearray | memoryview):
            continue
        other = by_data.setdefault(id(data), file)
        if other is not file:
            # A stream or generator gives its bytes once, so each file would get a part of them.
            problem = f"{other.filename!r} and {file.filename!r} of scene {scene!r} share one source"
            yield "resources", f"{problem}; give each its own, or a callback that opens it"


def _is_same_source(a: Resource, b: Resource) -> bool:
    if a.filename != b.filename:
        return False
    if a.file_data is None or b.file_data is None:
        return a.file_data is b.file_data
    has_same_bytes = isinstance(a.file_data.data, bytes) and a.file_data.data == b.file_data.data
    return has_same_bytes or a.file_data is b.file_data
