"""What a journal's facts about a scene amount to."""

from collections.abc import Sequence

import pytest
from attrs import evolve

from kognic_aio import InputCreationError, InputCreationResult, InputCreationStage, InputCreationStatus
from kognic_aio.pipeline.journal.facts import (
    Change,
    Delivered,
    Entry,
    Fact,
    Known,
    Reached,
    Refused,
    Step,
    compacted,
    fold,
)

ERROR = InputCreationError(stage=InputCreationStage.SCENE, message="too dark")
FAILED = InputCreationResult(status=InputCreationStatus.FAILED, scene_uuid="scene-1", error=ERROR)
CREATED = InputCreationResult(status=InputCreationStatus.CREATED, scene_uuid="scene-1")

START = Reached(Step.STARTING, "2:own", "outline", "scene-1")
ENTRY = Entry(key="k", step=Step.STARTING, fingerprint="2:own", outline="outline", scene_uuid="scene-1")
COMMITTED = evolve(ENTRY, step=Step.COMMITTED)
SETTLED = evolve(ENTRY, step=Step.SETTLED, result=CREATED)
LOST = evolve(ENTRY, step=Step.SETTLED, result=FAILED)

CASES: list[tuple[Sequence[Fact], Known]] = [
    ([], Known()),
    ([START], Known(ENTRY)),
    ([START, Reached(Step.COMMITTED)], Known(COMMITTED)),
    # A pre-annotation is kept by the steps that follow.
    (
        [START, Reached(Step.PRE_ANNOTATED, preannotation_uuid="pre-1"), Reached(Step.CREATING_INPUT)],
        Known(evolve(ENTRY, step=Step.CREATING_INPUT, preannotation_uuid="pre-1")),
    ),
    # What comes late changes nothing: an earlier step, or any after the result.
    ([START, Reached(Step.COMMITTED), Reached(Step.COMMITTING)], Known(COMMITTED)),
    ([START, Reached(Step.SETTLED, result=CREATED), Reached(Step.COMMITTED)], Known(SETTLED)),
    ([START, Reached(Step.SETTLED, result=CREATED), Reached(Step.SETTLED, result=FAILED)], Known(SETTLED)),
    # Only a result can be delivered.
    ([START, Delivered()], Known(ENTRY)),
    ([START, Reached(Step.SETTLED, result=CREATED), Delivered()], Known(evolve(SETTLED, delivered=True))),
    # A start is a new beginning, except for what is refused under the key.
    ([START, Reached(Step.SETTLED, result=FAILED), Delivered(), START], Known(ENTRY)),
    ([Refused("other", ERROR), Refused("2:own", ERROR), START], Known(ENTRY, {"other": ERROR})),
    ([START, Change.ABANDONED], Known(evolve(ENTRY, scene_uuid=None))),
    ([START, Change.MADE_WAY], Known()),
    # Failures are tried again; what has become an input stays.
    ([START, Reached(Step.SETTLED, result=FAILED), Change.RETRIED], Known()),
    (
        [START, Reached(Step.SETTLED, result=CREATED), Refused("other", ERROR), Change.RETRIED],
        Known(SETTLED, {"other": None}),
    ),
    # The recorded content has come again: refused contents are no failures, but those to be tried again stay.
    ([START, Refused("bad", ERROR), Refused("again"), Change.UPHELD], Known(ENTRY, {"again": None})),
]


@pytest.mark.parametrize(("facts", "known"), CASES)
def test_facts_fold_into_what_is_known(facts: Sequence[Fact], known: Known) -> None:
    """The facts of a scene, in their order, fold into its entry and the contents that were refused under its key."""
    assert fold("k", facts) == known


@pytest.mark.parametrize(("facts", "known"), CASES)
def test_one_after_the_other(facts: Sequence[Fact], known: Known) -> None:
    """It makes no difference whether facts are folded together or one by one."""
    so_far = Known()
    for fact in facts:
        so_far = fold("k", [fact], so_far)
    assert so_far == known


@pytest.mark.parametrize("known", [known for _, known in CASES])
def test_compaction_loses_nothing(known: Known) -> None:
    """The fewest facts of what is known fold into the same again."""
    assert fold("k", compacted(known)) == known
