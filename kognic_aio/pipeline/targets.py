"""The targets of a run, or of a scene that has its own."""

from collections.abc import Iterable
from typing import TypeAlias

from attrs import frozen

from kognic_aio._validation.converters import argument, external_id, instance_of, optional_external_id, sequence_of
from kognic_aio.errors import InvalidError
from kognic_aio.model.target import InputTarget

Place: TypeAlias = tuple[str, str | None]
"""The project and batch of a target, by their external ids. A scene has at most one target for each place."""


def place_of(target: InputTarget) -> Place:
    """Where the input of a target goes."""
    return target.project, target.batch


def may_be_same(one: InputTarget, other: InputTarget) -> bool:
    """Whether both may lead to the same batch: an unnamed one may be any of its project."""
    return one.project == other.project and (one.batch == other.batch or None in (one.batch, other.batch))


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
            if any(may_be_same(target, other) for other in each[:number]):
                problem = f"{target} is there already; name another batch for each target of a project"
                raise InvalidError(f"{where}[{number}]: {problem}")
        return cls(each)
