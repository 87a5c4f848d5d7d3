"""Where the bytes of files come from: a class per kind of source, chosen once, opened anew for every attempt.

    Source
    ├── LocalFileSource     a file of this machine
    ├── Memory              bytes
    ├── MemoryStream        a BytesIO
    ├── OpenFile            a file that its owner has opened, or a temporary one of what could be read only once
    ├── ReadOnce
    │   ├── Blocking
    │   │   ├── Stream      an object with `read()`: a member of an archive, a pipe, an answer of a server
    │   │   └── Iteration   an iterator or generator of bytes
    │   └── AsyncChunks     an async iterator or generator of bytes, or an object with an async `read()`
    └── CallbackSource      a function that returns the data of any other source but a local file

Code of the caller that blocks runs in threads of ours, each stream and iterator in one from beginning to end. It runs
one call at a time, unless the caller asks for more (`Reading`).
"""

from kognic_aio.files.body import Body
from kognic_aio.files.choice import sources_at_hand
from kognic_aio.files.reading import Reading
from kognic_aio.files.source import Source

__all__ = ["Body", "Reading", "Source", "sources_at_hand"]
