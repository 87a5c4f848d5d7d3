"""Where an input of a scene goes."""

from typing import TypeAlias

from attrs import field, frozen

from kognic_aio._validation.converters import external_id, optional_external_id
from kognic_aio._validation.fields import with_converters

Place: TypeAlias = tuple[str, str | None]
"""The project and batch of a target, by their external ids."""


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

    @property
    def place(self) -> Place:
        """Where the input goes. A scene has at most one target for each place."""
        return self.project, self.batch

    def may_be(self, other: "InputTarget") -> bool:
        """Whether both may lead to the same batch: an unnamed one may be any of its project."""
        return self.project == other.project and (self.batch == other.batch or None in (self.batch, other.batch))
