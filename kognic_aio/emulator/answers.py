"""Writes responses and refusals."""

import json
from typing import Any
from xml.sax.saxutils import escape

from aiohttp import web

from kognic_aio.emulator.errors import PlatformError, StorageError


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A response in JSON."""
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def error_response(error: PlatformError) -> web.Response:
    """A refusal: in XML if it is the storage's, otherwise in JSON."""
    if isinstance(error, StorageError):
        text = (
            "<?xml version='1.0' encoding='UTF-8'?>"
            f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        )
        return web.Response(text=text, status=error.status, content_type="application/xml")
    return json_response(error.payload(), error.status, error.headers())
