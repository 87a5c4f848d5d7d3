"""Annotations, with their content from storage."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from kognic_aio._http.paging import Paged
from kognic_aio._http.protocol import identifier, segment
from kognic_aio._secret import Secret
from kognic_aio._tasks import map_in_order
from kognic_aio._validation.official import renamed
from kognic_aio.model.annotation import (
    Annotation,
    BehindUri,
    ClientAnnotation,
    PartialAnnotation,
    PartialClientAnnotation,
    SignedAnnotation,
)
from kognic_aio.resources import ApiResource
from kognic_aio.scenes.backend import Backend
from kognic_aio.scenes.target import explained

A = TypeVar("A")
P = TypeVar("P", bound=BehindUri)


class AnnotationResource(ApiResource):
    """Annotations. Cuboids are in Kognic's own format, or in that of ISO 8855 with `iso_rotated_cuboids`.

    Methods that get contents raise a `StorageError` if one cannot be downloaded.
    """

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._downloads = backend.limiters.downloads

    async def get_annotation_by_id(self, annotation_id: str, *, iso_rotated_cuboids: bool = False) -> Annotation:
        """Get an annotation by its id, with its content.

        Args:
            annotation_id: The id of a delivered OpenLABEL annotation, or of a preliminary judgement.
            iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.

        Raises:
            NotFoundError: If there is no such annotation, or it has been invalidated.
            ApiError: If the platform refuses.
            StorageError: If the content cannot be downloaded.

        Endpoint: `GET v1/annotations/{annotation}` of the annotation integration API
        """
        query = {"isoBoxes": "true"} if iso_rotated_cuboids else None
        path = f"v1/annotations/{segment(annotation_id)}"
        signed = await self._backend.annotation_integration_api.get(path, SignedAnnotation, query=query)
        return signed.to_annotation(await self._content(signed.signed))

    async def get_annotation_for_input(self, input_uuid: str, iso_rotated_cuboids: bool = False) -> Annotation:
        """Get the annotation of an input, with its content.

        Args:
            input_uuid: The input's uuid.
            iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.

        Raises:
            NotFoundError: If the input has no annotation.
            ApiError: If the platform refuses.
            StorageError: If the content cannot be downloaded.

        Endpoint: `GET v2/inputs/{input}/annotation`
        """
        path = f"v2/inputs/{segment(input_uuid)}/annotation"
        partial = await self._api.get(path, PartialAnnotation, query=_cuboids(iso_rotated_cuboids))
        return partial.to_annotation(await self._content(partial.signed))

    async def get_annotations_for_scene(self, scene_uuid: str, iso_rotated_cuboids: bool = False) -> list[Annotation]:
        """Get all annotations of a scene, with their contents.

        Args:
            scene_uuid: The scene's uuid.
            iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.

        Raises:
            NotFoundError: If there is no such scene.
            ApiError: If the platform refuses.
            StorageError: If a content cannot be downloaded.

        Endpoint: `GET v2/scenes/{scene}/annotations`
        """
        partials = await find_scene_annotations(self._backend, scene_uuid, iso_rotated_cuboids=iso_rotated_cuboids)
        return [each async for each in self._completed(partials, PartialAnnotation.to_annotation)]

    def get_project_annotations(
        self,
        project: str,
        annotation_type: str,
        batch: str | None = None,
        include_content: bool = True,
        iso_rotated_cuboids: bool = False,
    ) -> Paged[ClientAnnotation]:
        """Get the annotations of a project for an annotation type.

        Contents are downloaded concurrently, up to `Limits.downloads`, and come in order.

        Args:
            project: External id of the project.
            annotation_type: The annotation type.
            batch: External id of a batch. By default the whole project.
            include_content: Whether to download the contents.
            iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.

        Raises:
            NotFoundError: If there is no such project or batch.
            ApiError: If the platform refuses.
            StorageError: If a content cannot be downloaded.

        Endpoint: `GET v1/annotations/projects/{project}/[batch/{batch}/]annotation-type/{type}/search`
        """
        partials = find_annotations(
            self._backend, project, annotation_type, batch, iso_rotated_cuboids=iso_rotated_cuboids
        )
        return Paged(lambda: self._pages(partials, include_content))

    @renamed("scene_uuid", "input_uuid")
    async def get_annotation(
        self, scene_uuid: str, annotation_type: str, iso_rotated_cuboids: bool = False
    ) -> ClientAnnotation:
        """Get the annotation of a scene for an annotation type, with its content.

        Args:
            scene_uuid: The scene's uuid.
            annotation_type: The annotation type.
            iso_rotated_cuboids: Whether to get cuboids in the format of ISO 8855.

        Raises:
            NotFoundError: If the scene has no such annotation.
            ApiError: If the platform refuses.

        Endpoint: `GET v1/annotations/inputs/{scene}/annotation-type/{type}`
        """
        path = f"v1/annotations/inputs/{segment(scene_uuid)}/annotation-type/{segment(annotation_type)}"
        return await self._get_of_scene(scene_uuid, path, ClientAnnotation, _cuboids(iso_rotated_cuboids))

    async def _download(self, url: Secret[str]) -> Callable[[], Awaitable[Any]]:
        async with self._downloads:
            return await self._backend.storage.download(url)

    async def _content(self, url: Secret[str]) -> Any:
        async with self._downloads:
            return await self._backend.storage.get_json(url)

    async def _pages(
        self, partials: Paged[PartialClientAnnotation], include_content: bool
    ) -> AsyncIterator[Sequence[ClientAnnotation]]:
        async for page in partials.pages():
            if include_content:
                async for annotation in self._completed(page, PartialClientAnnotation.to_annotation):
                    yield [annotation]
            else:
                yield [each.to_annotation(None) for each in page]

    async def _completed(self, partials: Sequence[P], to_annotation: Callable[[P, Any], A]) -> AsyncIterator[A]:
        """Download contents concurrently, and parse them one by one."""
        workers = self._downloads.max_value or 1
        # A parsed content needs many times the memory of its text. So each is parsed when the consumer comes for it.
        for start in range(0, len(partials), workers):
            some = partials[start : start + workers]
            parses = await map_in_order([each.signed for each in some], self._download, workers=workers)
            for each, parse in zip(some, parses, strict=True):
                yield to_annotation(each, await parse())


def find_annotations(
    backend: Backend, project: str, annotation_type: str, batch: str | None, *, iso_rotated_cuboids: bool
) -> Paged[PartialClientAnnotation]:
    """Find the annotations of a project for an annotation type; see `AnnotationResource.get_project_annotations`."""
    of_batch = "" if batch is None else f"batch/{segment(batch)}/"
    path = f"v1/annotations/projects/{segment(project)}/{of_batch}annotation-type/{segment(annotation_type)}/search"
    around = partial(explained, backend.api, project, batch)
    return backend.api.get_paged(path, PartialClientAnnotation, query=_cuboids(iso_rotated_cuboids), around=around)


async def find_scene_annotations(
    backend: Backend, scene_uuid: str, *, iso_rotated_cuboids: bool
) -> list[PartialAnnotation]:
    """Find all annotations of a scene; see `AnnotationResource.get_annotations_for_scene`."""
    path, query = f"v2/scenes/{segment(scene_uuid)}/annotations", _cuboids(iso_rotated_cuboids)
    return await backend.visibility.when_shown(
        [identifier(scene_uuid)], lambda: backend.api.get(path, list[PartialAnnotation], query=query)
    )


def _cuboids(iso_rotated: bool) -> dict[str, str] | None:
    return {"useDefaultCartesian": "true"} if iso_rotated else None
