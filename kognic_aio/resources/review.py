"""Reviews of annotations."""

from kognic_aio._http.protocol import segment
from kognic_aio._http.wire import encode
from kognic_aio.model.review import Review, ReviewErrorType, ReviewRequest, ReviewResponse
from kognic_aio.resources import ApiResource


class ReviewResource(ApiResource):
    """Reviews of annotations, manual and automatic."""

    async def create_review(self, open_label_uuid: str, body: ReviewRequest) -> ReviewResponse:
        """Review an annotation. If it is not accepted, the platform may create a task to correct it.

        Args:
            open_label_uuid: The uuid of the OpenLABEL annotation.
            body: The review.

        Raises:
            NotFoundError: If there is no such annotation.
            ApiError: If the platform refuses.

        Endpoint: `POST v1/annotations/{annotation}/review` of the annotation integration API
        """
        path = f"v1/annotations/{segment(open_label_uuid)}/review"
        return await self._backend.annotation_integration_api.post(path, ReviewResponse, json=encode(body))

    async def get_review(self, review_id: str) -> Review:
        """Get a review.

        Args:
            review_id: Its id.

        Raises:
            NotFoundError: If there is no such review.
            ApiError: If the platform refuses.

        Endpoint: `GET v1/reviews/{review}` of the annotation integration API
        """
        return await self._backend.annotation_integration_api.get(f"v1/reviews/{segment(review_id)}", Review)

    async def get_auto_reviews(self, request_input_id: str) -> list[Review]:
        """List the automatic reviews of a request input, such as those of a Client Automatic Review phase.

        Args:
            request_input_id: The request input's id.

        Raises:
            NotFoundError: If there is no such request input.
            ApiError: If the platform refuses.

        Endpoint: `GET v0/request-inputs/{request input}/auto-reviews` of the annotation integration API
        """
        path = f"v0/request-inputs/{segment(request_input_id)}/auto-reviews"
        return await self._backend.annotation_integration_api.get(path, list[Review])

    async def get_error_types(self) -> list[ReviewErrorType]:
        """List the types of errors that a review can name.

        Raises:
            ApiError: If the platform refuses.

        Endpoint: `GET v1/reviews/error-types` of the annotation integration API
        """
        return await self._backend.annotation_integration_api.get("v1/reviews/error-types", list[ReviewErrorType])
