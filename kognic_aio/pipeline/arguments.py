"""What `create_inputs` sees at once of what it is given. Each check raises InvalidError with the argument's name."""

from collections.abc import AsyncIterable, Iterable

from kognic_aio.errors import InvalidError, OfficialModelError
from kognic_aio.model.official import refuse_official
from kognic_aio.pipeline.release import Files
from kognic_aio.pipeline.result import SceneWithPreAnnotation


def check_source(source: object) -> None:
    """See that something gives scenes."""
    refuse_official(source, "scenes_with_pre_annotations")  # whose models can be iterated over
    if isinstance(source, str | bytes) or not isinstance(source, Iterable | AsyncIterable):
        given = type(source).__name__
        raise InvalidError(f"scenes_with_pre_annotations: expected an iterable or async iterable, got {given}")


async def check_item(item: object) -> None:
    """See that what a source gave is no model of kognic-io's: all that follow would be. Else its files are released."""
    try:
        refuse_official(item, "scenes_with_pre_annotations")
        if isinstance(item, SceneWithPreAnnotation):
            refuse_official(item.scene, "SceneWithPreAnnotation.scene")
    except OfficialModelError:
        async with Files(item):
            raise
