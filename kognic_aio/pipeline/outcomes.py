"""What became of a scene's targets: pure functions from inputs and errors to outcomes and results."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from attrs import evolve

from kognic_aio.model import Input
from kognic_aio.model.target import InputCreationStatus, InputTarget
from kognic_aio.pipeline.result import InputCreationError, InputCreationResult, TargetOutcome
from kognic_aio.pipeline.targets import Place, place_of

Made: TypeAlias = Sequence[Input] | InputCreationError
"""The inputs of a target, or why it has none."""


def outcome_of(target: InputTarget, made: Made) -> TargetOutcome:
    """The outcome of a target."""
    if isinstance(made, InputCreationError):
        return TargetOutcome(target=target, status=InputCreationStatus.FAILED, error=made)
    return TargetOutcome.created(target, made[0])


def ended(
    result: InputCreationResult, outcomes: Sequence[TargetOutcome], inputs: Sequence[Input]
) -> InputCreationResult:
    """A result with these outcomes: FAILED for the first reason if a target is, else as one that has not ended."""
    error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    unended = (outcome.status for outcome in outcomes if outcome.status is not InputCreationStatus.CREATED)
    status = InputCreationStatus.FAILED if error is not None else next(unended, InputCreationStatus.CREATED)
    once = {each.uuid: each for each in inputs}
    return evolve(result, status=status, outcomes=tuple(outcomes), inputs=(*once.values(),), error=error)


def by_place(result: InputCreationResult, *, with_failed: bool = True) -> Mapping[Place, TargetOutcome]:
    """The outcomes of a result by the places of their targets."""
    return {place_of(each.target): each for each in result.outcomes if with_failed or each.error is None}


def added(earlier: InputCreationResult | None, result: InputCreationResult) -> InputCreationResult:
    """A result with the outcomes of an earlier one too, which had other targets or failed at some of these."""
    if earlier is None:
        return result
    outcomes = {**by_place(earlier), **by_place(result)}
    return ended(result, [*outcomes.values()], [*earlier.inputs, *result.inputs])


def restricted(result: InputCreationResult, targets: Sequence[InputTarget]) -> InputCreationResult:
    """A result as far as it is about these targets. They have all failed if their scene has."""
    known = by_place(result)
    failed = InputCreationStatus.FAILED
    outcomes = [
        known.get(place_of(target)) or TargetOutcome(target=target, status=failed, error=result.error)
        for target in targets
    ]
    if tuple(outcomes) == result.outcomes:
        return result
    uuids = {outcome.input_uuid for outcome in outcomes}
    return ended(result, outcomes, [each for each in result.inputs if each.uuid in uuids])


def with_outcomes(result: InputCreationResult, target: InputTarget | None) -> InputCreationResult:
    """A result from a journal of an earlier version, which has one target and no outcomes."""
    if result.outcomes or target is None:
        return result
    made = (result.inputs or None) if result.error is None else result.error
    outcomes = () if made is None else (outcome_of(target, made),)
    return evolve(result, outcomes=outcomes)
