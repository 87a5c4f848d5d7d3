"""Annotations of inputs and scenes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from attrs import AttrsInstance, field, fields_dict, frozen
from typing_extensions import deprecated

from kognic_aio._secret import Secret

A = TypeVar("A", bound=AttrsInstance)


def _secret(url: str | Secret[str]) -> Secret[str]:
    return url if isinstance(url, Secret) else Secret(url)


def _completed(kind: type[A], partial: object, **others: object) -> A:
    """An annotation with all fields that it shares with a partial one, and some others."""
    shared = {name: getattr(partial, name) for name in fields_dict(kind) if hasattr(partial, name)}
    return kind(**(shared | others))


@frozen(kw_only=True)
class BehindUri:
    """An annotation without its content, which is behind a signed URL.

    Args:
        uri: The signed URL, which is kept as a secret.
    """

    _uri: Secret[str] = field(alias="uri", converter=_secret)

    @property
    def uri(self) -> str:
        """The signed URL."""
        return self._uri.reveal()

    @property
    def signed(self) -> Secret[str]:
        """The signed URL as a secret, which nothing shows."""
        return self._uri


@frozen(kw_only=True)
class Annotation:
    """The annotation of an input.

    Args:
        input_uuid, scene_uuid, request_uid: The input, its scene, and the request that the annotation was made for.
        created: When it was created.
        is_preliminary: Whether it is a preliminary judgement: not delivered yet, or not at the time.
        content: OpenLABEL as the platform sent it.
    """

    input_uuid: str
    scene_uuid: str
    request_uid: str
    created: datetime
    is_preliminary: bool
    content: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class PartialAnnotation(BehindUri):
    """The annotation of an input without its content.

    Args:
        uri: The signed URL of the content, which is kept as a secret.
        input_uuid, scene_uuid, request_uid: The input, its scene, and the request that the annotation was made for.
        created: When it was created.
    """

    input_uuid: str
    scene_uuid: str
    request_uid: str
    created: datetime

    def to_annotation(self, content: Mapping[str, Any] | None) -> Annotation:
        """The annotation with its content."""
        return _completed(Annotation, self, content=content, is_preliminary=False)


@frozen(kw_only=True)
class SignedAnnotation:
    """An annotation without its content.

    Args:
        id, scene_id, request_id, request_input_id: Uuids of the annotation, the scene, the request and the input.
        request_uid: The request that the annotation was made for.
        is_preliminary: Whether it is a preliminary judgement: not delivered yet, or not at the time.
        signed_url, expires_at: The signed URL of the content, which is kept as a secret, and when it expires.
        created: When the annotation was created.
    """

    id: str
    scene_id: str
    request_id: str
    request_input_id: str
    request_uid: str
    is_preliminary: bool
    _signed_url: Secret[str] = field(alias="signed_url", converter=_secret)
    expires_at: datetime
    created: datetime

    @property
    def signed_url(self) -> str:
        """The signed URL."""
        return self._signed_url.reveal()

    @property
    def signed(self) -> Secret[str]:
        """The signed URL as a secret, which nothing shows."""
        return self._signed_url

    def to_annotation(self, content: Mapping[str, Any] | None) -> Annotation:
        """The annotation with its content."""
        ids = {"input_uuid": self.request_input_id, "scene_uuid": self.scene_id}
        return _completed(Annotation, self, content=content, **ids)


@frozen(kw_only=True)
class ClientAnnotation:
    """The annotation of a scene for one annotation type.

    Args:
        scene_uuid, annotation_type: The scene, and what was annotated.
        created: When it was created.
        content: OpenLABEL as the platform sent it; None if it was not asked for.
        is_preliminary: Whether it is a preliminary judgement: not delivered yet, or not at the time.
    """

    scene_uuid: str
    annotation_type: str
    created: datetime
    content: Mapping[str, Any] | None = None
    is_preliminary: bool = False

    @property
    @deprecated("input_uuid is now scene_uuid")
    def input_uuid(self) -> str:
        """The older name of `scene_uuid`."""
        return self.scene_uuid


@frozen(kw_only=True)
class PartialClientAnnotation(BehindUri):
    """The annotation of a scene for one annotation type without its content.

    Args:
        uri: The signed URL of the content, which is kept as a secret.
        scene_uuid, annotation_type: The scene, and what was annotated.
        created: When it was created.
    """

    scene_uuid: str
    annotation_type: str
    created: datetime

    def to_annotation(self, content: Mapping[str, Any] | None) -> ClientAnnotation:
        """The annotation with its content."""
        return _completed(ClientAnnotation, self, content=content)
