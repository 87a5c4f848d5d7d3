"""Sources of the bytes of files: a class per kind, chosen once, opened anew for every attempt.

    FileSource
    ├── LocalFileSource     a local file
    ├── Memory              bytes
    ├── MemoryStream        a BytesIO
    ├── OpenFile            a file that the caller opened, or the temporary file of a spooled source
    ├── ReadOnce
    │   ├── Blocking        an object with `read()`: a member of an archive, a pipe; or an iterator of bytes
    │   └── AsyncChunks     an object with an async `read()`, or an async iterator of bytes
    └── CallbackSource      a function that returns the data of any other source but a local file

Blocking code of the caller runs in our own threads, each stream and iterator in one from its start to its end. One
call runs at a time, unless the caller asks for more (`ReadPool`).
"""

from kognic_aio.files.choice import opened_sources
from kognic_aio.files.source import Body, FileSource, ReadPool

__all__ = ["Body", "FileSource", "ReadPool", "opened_sources"]
