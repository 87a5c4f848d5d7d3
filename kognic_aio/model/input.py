"""Inputs: scenes that are to be annotated in a batch."""

from attrs import frozen


@frozen(kw_only=True)
class Input:
    """A scene in one request of a batch."""

    uuid: str
    scene_uuid: str
    request_uid: str
    scene_external_id: str
    view_link: str
