"""Checks of what `create_inputs` is given. Each raises InvalidError with the name of the argument."""

from collections.abc import AsyncIterable, Iterable

from kognic_aio._validation.official import refuse_official
from kognic_aio.errors import InvalidError, OfficialModelError
from kognic_aio.pipeline.result import SceneWithPreAnnotation
from kognic_aio.pipeline.taken import Taken


def check_source(source: object) -> None:
    """Check that a source can be iterated over."""
    refuse_official(source, "scenes_with_pre_annotations")  # kognic-io's models can be iterated over
    if isinstance(source, str | bytes) or not isinstance(source, Iterable | AsyncIterable):
        given = type(source).__name__
        raise InvalidError(f"scenes_with_pre_annotations: expected an iterable or async iterable, got {given}")


async def check_item(item: object) -> None:
    """Refuse a model of kognic-io, as the rest of its source would be the same, and release its files."""
    try:
        refuse_official(item, "scenes_with_pre_annotations")
        if isinstance(item, SceneWithPreAnnotation):
            refuse_official(item.scene, "SceneWithPreAnnotation.scene")
    except OfficialModelError:
        async with Taken(item):
            raise
