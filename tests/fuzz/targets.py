"""All parsers of what comes from outside, each as a function of bytes that raises if the parser does what it must not.

What it must not: raise anything but an error of ours, show a secret, or show people more than they read.
"""

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from tests.fuzz import answers, journals, sockets


@frozen
class Target:
    """A parser.

    Args:
        check: Gives it bytes.
        seeds: Where to start from; what else there is stands in `pieces`.
        is_slow: Whether it opens files or sockets.
    """

    check: Callable[[bytes], None]
    seeds: Sequence[bytes] = ()
    is_slow: bool = False


TARGETS: Mapping[str, Target] = {
    "answers": Target(answers.answers, [b'\0\0\3{"data": [], "metadata": {}}', b"\1\0\3<Error><Code>A</Code></Error>"]),
    "headers": Target(answers.headers, [b"120", b"Mon, 01 Jan 2035 00:00:00 GMT", b"2035-01-01T00:00:00Z"]),
    "tokens": Target(answers.tokens, [b"\0\0\0\0\0", b'\0\0\3{"access_token": "a", "expires_in": 1e999}']),
    "models": Target(answers.models, [bytes([kind]) + b"\0\1" * 40 for kind in range(len(answers.KINDS))]),
    "redaction": Target(answers.redaction, [b"\0\0\0\0token=a&b s3cr &#x73;3cr %2573%33cr \\u0073"]),
    "openlabel": Target(answers.openlabel, [b"\2\2\0\1a\1\3", b"\1\1\2\1"]),
    "wasm": Target(answers.wasm, [b"\2\0\1", b"\3\0\0\1\0\0\1\0\0", b'\0["loaded"]\n["projected", 1.0, 2.0]\n']),
    "journal rows": Target(journals.rows, [b"\0\1\2\3\4\5\6", b"\7\5\0" * 9]),
    "journal values": Target(journals.values, [b"\0\0\0\0", b"\3\1\5\0\2\3\1"], is_slow=True),
    "journal pages": Target(journals.pages, [b"\0\0\0\0", b"\7\0\1\x63\xff"], is_slow=True),
    "outlines": Target(journals.outlines, [b"\0\0\0\1", b"\5\0\3abc\0\1"]),
    "credentials": Target(journals.credentials, [b"", b"\1" * 40]),
    "environments": Target(journals.environments, [b"", b"\1\1\1\1", b"\3\2\4"]),
    "signed URLs": Target(sockets.signed_urls, [b"", b"\0\0\1\0a", b"\1\2\1\0a\0\1"], is_slow=True),
    "HTTP answers": Target(sockets.http_answers, [b"", b"\0\0\0\0\0\0\0\0", b"\1\0\0\0\1\7\0\0"], is_slow=True),
}
