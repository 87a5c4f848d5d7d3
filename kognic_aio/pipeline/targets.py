"""The targets of a scene: the projects and batches that get an input of it."""

from collections.abc import Iterable
from typing import TypeAlias

from attrs import field, frozen

from kognic_aio._validation.converters import argument, external_id, instance_of, optional_external_id, sequence_of
from kognic_aio._validation.fields import with_converters
from kognic_aio.errors import InvalidError

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


@frozen
class Targets:
    """The targets of a run, or of a scene that has its own.

    Args:
        each: The targets, in order.
        is_project: Whether they are the one target of `project=`. Its inputs are created by `POST v1/inputs`: one per
            request of the batch, from the scene's latest pre-annotation.
    """

    each: tuple[InputTarget, ...]
    is_project: bool = False

    @classmethod
    def of_project(cls, project: object, batch: object) -> "Targets":
        """The target of `project=` and `batch=`."""
        project, batch = argument("project", project, external_id), argument("batch", batch, optional_external_id)
        return cls((InputTarget(project, batch),), is_project=True)

    @classmethod
    def of(cls, given: Iterable[InputTarget], where: str = "targets") -> "Targets":
        """The targets that were passed; errors call them `where`.

        Raises:
            InvalidError: If there is none, or two may lead to the same batch.
        """
        each = argument(where, given, sequence_of(instance_of(InputTarget), "InputTarget"))
        if not each:
            raise InvalidError(f"{where}: expected at least one InputTarget")
        for number, target in enumerate(each):
            # An input is found again by its scene, project and batch, so they must tell the targets apart.
            if any(target.may_be(other) for other in each[:number]):
                problem = f"{target} is there already; name another batch for each target of a project"
                raise InvalidError(f"{where}[{number}]: {problem}")
        return cls(each)
