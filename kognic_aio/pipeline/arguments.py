"""Checks the source of `create_inputs`. Each check raises InvalidError with the name of the argument."""

from collections.abc import AsyncIterable, Iterable

from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError, OfficialModelError
from kognic_aio.pipeline.result import SceneWithPreAnnotation
from kognic_aio.pipeline.taken import Taken


def check_source(source: object) -> None:
    """Check that a source can be iterated over."""
    # A single model of kognic-io would pass as a source: pydantic models are iterable.
    refuse_official(source, "scenes_with_pre_annotations")
    if isinstance(source, str | bytes) or not isinstance(source, Iterable | AsyncIterable):
        given = type(source).__name__
        raise InvalidError(f"scenes_with_pre_annotations: expected an iterable or async iterable, got {given}")


async def check_item(item: object) -> None:
    """Refuse a model of kognic-io, and release its files.

    Raises:
        OfficialModelError: Which ends the run, because the rest of the source would be the same.
    """
    try:
        refuse_official(item, "scenes_with_pre_annotations")
        if isinstance(item, SceneWithPreAnnotation):
            refuse_official(item.scene, "SceneWithPreAnnotation.scene")
    except OfficialModelError:
        async with Taken(item):
            raise
