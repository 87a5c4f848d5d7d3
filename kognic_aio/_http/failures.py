"""Turns aiohttp's errors into our own: the right type, the cause and the request, no secrets."""

import os
import re
import ssl
import string
from http import HTTPStatus
from socket import gaierror

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from kognic_aio import errors
from kognic_aio._http.protocol import Request
from kognic_aio._http.proxies import Proxy

CLOSED = "the connection was closed"
QUOTED = re.compile(r"(?:\bbytearray\()?\bb['\"]")
"""Start of aiohttp's quote of a response that it cannot read. The response may contain secrets."""

Kind = type[errors.RequestError]


class TooLarge(aiohttp.ClientPayloadError):
    """A response is too large."""


def translated(error: Exception, request: Request, proxy: Proxy | None) -> errors.RequestError:
    """Translate an error of aiohttp's or a timeout into an error of ours."""
    what = str(request) if proxy is None else f"{request} through the proxy {proxy}"
    kind: Kind
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ServerFingerprintMismatch():
            kind, message = errors.CertificateError, f"no TLS connection for {what}: {_certificate(error)}"
        case aiohttp.ClientConnectorError():
            kind, message = _not_connected(error, what, proxy)
        case aiohttp.ConnectionTimeoutError():  # of either, if there is a proxy
            kind, message = errors.ConnectError, f"no connection in time for {what}{_check(proxy)}"
        case aiohttp.ClientResponseError() if error.request_info.method == "CONNECT":
            kind, message = _not_tunnelled(error, what, proxy)
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            kind, message = _not_read(error, what)
        case TimeoutError():
            kind, message = errors.TimedOutError, f"timed out waiting for the response to {what}"
        case MemoryError() | RecursionError():
            kind = errors.UnreadableAnswerError
            message = f"the response to {what} cannot be read: {type(error).__name__}"
        case aiohttp.InvalidURL() | UnicodeError():
            kind, message = errors.RequestError, f"invalid URL: {request.shown}"
        case _:
            reason = _reason(error.__cause__ or error)
            kind, message = errors.LostAnswerError, f"the connection broke during {what}: {reason}"
    return kind(message, method=request.method, url=request.shown)


def harmless_cause(error: Exception) -> OSError | None:
    """The system's error below aiohttp's. Errors and frames of aiohttp's own have URLs, headers and passwords."""
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else None
    if cause is not None:
        cause.__cause__ = cause.__context__ = None
        cause.__traceback__ = None
    return cause


def _certificate(error: Exception) -> str:
    """Describe whose certificate is not trusted, perhaps the proxy's, and why."""
    host = getattr(error, "host", "the host")
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return f"the certificate of {host} is not the one that the session has pinned"
    why = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
    return f"the certificate of {host} is not trusted: {getattr(why, 'verify_message', None) or why}"


def _not_connected(error: aiohttp.ClientConnectorError, what: str, proxy: Proxy | None) -> tuple[Kind, str]:
    reason = _reason(error.os_error)
    is_at_proxy = proxy is not None and (error.host, error.port) == (proxy.url.host, proxy.url.port)
    if is_at_proxy or (proxy is not None and isinstance(error, aiohttp.ClientProxyConnectionError)):
        return errors.ProxyConnectError, f"no connection to the proxy for {what}: {reason}{_check(proxy)}"
    tls = "TLS " if isinstance(error, aiohttp.ClientSSLError) else ""
    return errors.ConnectError, f"no {tls}connection for {what}: {reason}"


def _not_tunnelled(error: aiohttp.ClientResponseError, what: str, proxy: Proxy | None) -> tuple[Kind, str]:
    """Describe a proxy's response to CONNECT."""
    nothing = f"no connection for {what}:"
    if not isinstance(error, aiohttp.ClientHttpProxyError):
        words = _unreadable(error)
        # The bound of aiohttp's parser is fixed for responses to CONNECT.
        problem = "has too long a header" if words.startswith("Got more than") else "is not valid HTTP"
        return errors.ProxyConnectError, f"{nothing} the proxy's response to CONNECT {problem} ({words}){_check(proxy)}"
    if error.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        place = "" if proxy is None else f" in `{proxy.variable}`"
        wanted = f"check the user and password{place}"
        return errors.ProxyError, f"{nothing} the proxy requires valid credentials (407); {wanted}"
    may_pass = error.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
    is_final = 400 <= error.status < 500 and not may_pass
    message = f"{nothing} the proxy responded to CONNECT with {error.status}"
    return (errors.ProxyError, message) if is_final else (errors.ConnectError, f"{message}{_check(proxy)}")


def _check(proxy: Proxy | None) -> str:
    """The end of a message: which setting to check if there is a proxy."""
    return "" if proxy is None else f"; check the proxy, which the environment names in `{proxy.variable}`"


def _not_read(error: aiohttp.ClientResponseError | aiohttp.ClientPayloadError, what: str) -> tuple[Kind, str]:
    """Describe a response that is cut off or not valid HTTP."""
    words = _unreadable(error)
    if isinstance(error, TooLarge):
        return errors.TooLargeError, f"the response to {what} is too large: {words}"
    is_cut_off = "Not enough data" in words or words == CLOSED
    if isinstance(error, aiohttp.ClientPayloadError) and is_cut_off:
        return errors.LostAnswerError, f"the connection broke during the response to {what}: {words}"
    return errors.UnreadableAnswerError, f"the response to {what} cannot be read: {words}"


def _unreadable(error: Exception) -> str:
    """The message of aiohttp's parser, without its quotes of the response."""
    source = error.__cause__ if isinstance(error.__cause__, HttpProcessingError) else error
    words: str = getattr(source, "message", None) or str(source)
    own, *_ = QUOTED.split(words[:300], maxsplit=1)
    return " ".join(own.split()).rstrip(string.punctuation + " ") or type(source).__name__


def _reason(error: BaseException) -> str:
    """Describe an error of a socket in the words of the system."""
    match error:
        case ssl.SSLError():
            reason = str(error.reason or "the handshake failed").replace("_", " ").lower()
            is_plain = reason in ("wrong version number", "http request", "record layer failure")
            return f"{reason}; the server may speak plain HTTP" if is_plain else reason
        case gaierror():
            return f"unknown name: {error.strerror}"
        case OSError(errno=int(number)) if number > 0:
            return os.strerror(number)
        case aiohttp.ServerConnectionError():
            return "the server closed it"
        case ConnectionError():
            return f"the other end closed it ({type(error).__name__})"
        case _:
            return type(error).__name__
