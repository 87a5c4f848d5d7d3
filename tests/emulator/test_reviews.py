"""Reviews of annotations."""

from typing import Any

import pytest

from kognic_aio.emulator import ANNOTATION_ID, INPUT_UUIDS, Platform, PlatformError

from .support import Caller

pytestmark = pytest.mark.anyio

ANNOTATED, WAITING = INPUT_UUIDS
CREATE = f"v1/annotations/{ANNOTATION_ID}/review"
FINDING = {
    "errorTypeId": "wrong-class",
    "sensorId": "CAM",
    "frameId": "0",
    "objectId": "o",
    "description": "a van",
    "pin": {"x": 1, "y": 2.5, "z": 0, "worldCoordinates": True, "originFrame": "0"},
    "suggestedProperty": {"propertyName": "class", "suggestedPropertyValue": "Van"},
    "metadata": {"rule": "17"},
}


async def task_of(caller: Caller, input_uuid: str) -> dict[str, Any] | None:
    details = (await caller.get(f"v2/request-inputs/{input_uuid}")).data["progressDetails"]
    task: dict[str, Any] | None = details.get("currentTask")
    return task


async def test_review(caller: Caller, platform: Platform) -> None:
    """A review is answered with all that was found, each with the name of its error type and its state."""
    phase_id = platform.input(ANNOTATED).progress.phase.id
    created = (await caller.post(CREATE, {"accepted": True, "feedbackItems": [FINDING]})).data
    found = (await caller.get(f"v1/reviews/{created['createdReviewId']}")).data
    (member,) = found.pop("members")
    assert found == {"id": created["createdReviewId"], "inputUuid": ANNOTATED, "phaseId": phase_id}
    assert member.pop("createdAt").endswith("Z")
    expected = {key: value for key, value in FINDING.items() if key != "suggestedProperty"}
    assert member == {
        **expected,
        "errorTypeName": "wrong-class",
        "suggestedProperties": [FINDING["suggestedProperty"]],
        "invalid": False,
        "corrected": False,
        "resolved": False,
    }


async def test_accepted(caller: Caller) -> None:
    """A review that accepts the annotation leaves its input as it is."""
    assert (await caller.post(CREATE, {"accepted": True})).status == 200
    assert await task_of(caller, ANNOTATED) is None


@pytest.mark.parametrize("workflow", [{}, {"workflow": "correct"}, {"workflow": "correct-review-loop"}])
async def test_rejected(caller: Caller, workflow: dict[str, str]) -> None:
    """A review that does not accept the annotation makes one task to correct it, and its input is in progress."""
    for _ in range(2):
        assert (await caller.post(CREATE, {"accepted": False, **workflow})).status == 200
    task = await task_of(caller, ANNOTATED)
    assert task is not None
    assert (task["taskType"], task["isOngoing"]) == ("correct", False)
    found = (await caller.get(f"v2/request-inputs/{ANNOTATED}")).data
    assert (found["status"], found["progressDetails"]["availableForIntegrationReview"]) == ("in_progress", True)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "accepted is missing"),
        ({"accepted": 1}, "accepted must be true or false, got 1"),
        ({"accepted": True, "workflow": "redo"}, "workflow must be one of correct, correct-review-loop, got 'redo'"),
        ({"accepted": True, "feedbackItems": [{}]}, "[0].errorTypeId is missing"),
        ({"accepted": True, "feedbackItems": [{"errorTypeId": "e"}]}, "[0].errorTypeId 'e' is unknown"),
        (
            {"accepted": True, "feedbackItems": [{"errorTypeId": "other", "pin": {"x": 1, "y": 1}}]},
            "[0].pin is not allowed for the error type 'other'",
        ),
        (
            {"accepted": True, "feedbackItems": [{"errorTypeId": "missing-object", "objectId": "o"}]},
            "[0].objectId is not allowed for the error type 'missing-object'",
        ),
        ({"accepted": True, "feedbackItems": [{**FINDING, "pin": {"x": 1}}]}, "[0].pin.y is missing"),
        ({"accepted": True, "feedbackItems": [{**FINDING, "pin": {"x": "1", "y": 1}}]}, "[0].pin.x must be a number"),
        ({"accepted": True, "feedbackItems": [{**FINDING, "metadata": {"n": 1}}]}, "[0].metadata.n must be a string"),
        ({"accepted": True, "feedbackItems": [{**FINDING, "severity": 1}]}, "[0].severity is an unknown key"),
    ],
)
async def test_bad_review(caller: Caller, body: dict[str, Any], message: str) -> None:
    """A review that breaks a rule is refused, and changes nothing."""
    answer = await caller.post(CREATE, body)
    assert answer.status == 400
    assert message in answer.message
    assert await task_of(caller, ANNOTATED) is None


async def test_review_of_what_is_not_delivered(caller: Caller, platform: Platform) -> None:
    """Only a delivered annotation can be reviewed."""
    preliminary = platform.add_annotation(WAITING, preliminary=True)
    answer = await caller.post(f"v1/annotations/{preliminary}/review", {"accepted": True})
    assert (answer.status, "is preliminary" in answer.message) == (400, True)
    answer = await caller.post("v1/annotations/nobody/review", {"accepted": True})
    assert (answer.status, answer.message) == (404, "annotation 'nobody' is unknown")


async def test_unknown_review(caller: Caller) -> None:
    """There is no review with an unknown id."""
    answer = await caller.get("v1/reviews/nobody")
    assert (answer.status, answer.message) == (404, "review 'nobody' is unknown")


async def test_error_types(caller: Caller, platform: Platform) -> None:
    """Error types say whether findings may point at a place and name an object."""
    own = platform.add_error_type("Too early", object_allowed=False)
    *_, found = (await caller.get("v1/reviews/error-types")).data
    assert found == {"errorTypeId": own, "name": "Too early", "pinAllowed": True, "objectAllowed": False}
    with pytest.raises(PlatformError, match="exists already"):
        platform.add_error_type("Too late", id=own)


async def test_auto_reviews(caller: Caller, platform: Platform) -> None:
    """The reviews of a customer's own check are listed by input, and are reviews like others."""
    path = f"v0/request-inputs/{WAITING}/auto-reviews"
    assert (await caller.get(path)).data == []
    review_id = platform.add_auto_review(WAITING, [{"errorTypeId": "other", "description": "late"}])
    (found,) = (await caller.get(path)).data
    assert (await caller.get(f"v1/reviews/{review_id}")).data == found
    assert [member["description"] for member in found["members"]] == ["late"]
    assert len((await caller.get(f"v0/request-inputs/{ANNOTATED}/auto-reviews")).data) == 1
    assert (await caller.get("v0/request-inputs/nobody/auto-reviews")).status == 404


def test_bad_auto_review(platform: Platform) -> None:
    """What a check has found must be in the form of a review."""
    with pytest.raises(PlatformError, match=r"feedbackItems\[0\].errorTypeId 'e' is unknown"):
        platform.add_auto_review(WAITING, [{"errorTypeId": "e"}])
