"""Reviews of annotations."""

from typing import Any

from kognic_aio.emulator.routing import Call, Routes

routes = Routes()


@routes.post("v1/annotations/{annotation}/review", keeps=True)
def create_review(call: Call) -> dict[str, str]:
    """Accept an annotation, or ask for a correction."""
    return {"createdReviewId": call.platform.reviews.create(call.params["annotation"], call.body).id}


@routes.get("v1/reviews/error-types")
def list_error_types(call: Call) -> list[dict[str, Any]]:
    """List the types of error that a review may find."""
    return [error_type.to_json() for error_type in call.platform.reviews.error_types.values()]


@routes.get("v1/reviews/{review}")
def get_review(call: Call) -> dict[str, Any]:
    """Get a review by its id."""
    return call.platform.reviews.review(call.params["review"]).to_json()


@routes.get("v0/request-inputs/{input}/auto-reviews")
def list_automatic_reviews(call: Call) -> list[dict[str, Any]]:
    """List the reviews by a customer's automatic check of an input."""
    return [review.to_json() for review in call.platform.reviews.automatic_of(call.params["input"])]
