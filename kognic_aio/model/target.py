"""Where an input of a scene goes, and how it ended."""

from enum import StrEnum

from attrs import field, frozen

from kognic_aio._validation.converters import external_id, optional_external_id
from kognic_aio._validation.fields import with_converters


@frozen(field_transformer=with_converters)
class InputTarget:
    """A project that gets an input of each scene, and the pre-annotation that the input starts from.

    Args:
        project: External id of the project.
        batch: External id of the batch. By default the open one, if there is only one.
        pre_annotation: The key of one of the scene's `pre_annotations`; None for an input without one.

    Raises:
        InvalidError: If an id is empty or is no text.
    """

    project: str = field(converter=external_id)
    batch: str | None = field(default=None, converter=optional_external_id)
    pre_annotation: str | None = field(default=None, converter=optional_external_id)

    def __str__(self) -> str:
        return f"project {self.project!r}" + ("" if self.batch is None else f", batch {self.batch!r}")


class InputCreationStatus(StrEnum):
    """How a scene ended. PROCESSING: it was not ready in time. VALIDATED: it passed a dry run."""

    CREATED = "created"
    FAILED = "failed"
    PROCESSING = "processing"
    VALIDATED = "validated"
