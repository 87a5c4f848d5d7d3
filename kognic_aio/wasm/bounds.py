"""Bounds of modules and compilers. A process that exceeds one is killed."""

MAX_FUEL = 200_000_000
"""Instructions of a call: less than a second's worth. A byte that an instruction fills or copies counts as one."""

MAX_MEMORY_BYTES = 64 << 20
"""Bytes of a module's memory. It may have one memory."""

MAX_TABLES = 4
"""Tables of a module."""

MAX_TABLE_ELEMENTS = 100_000
"""Elements of each of its tables."""

MAX_CPU_SECONDS = 3
"""Seconds of processor time to compile a module and project all points, where the system can bound it."""

VALIDATION_TIMEOUT = 4.0
"""Seconds of elapsed time for the same."""

MAX_PROCESS_BYTES = 192 << 20
"""Bytes of writable memory of the module's process, where the system can bound it."""

MAX_ADDRESS_SPACE = 16 << 30
"""Bytes of its address space. wasmtime reserves some GiB of addresses for a memory."""

MAX_PROCESSES = 2
"""Modules validated concurrently. Others wait, before their time begins."""

COMPILATION_TIMEOUT = 600.0
"""Seconds for a compiler. The first run of emcc builds its own libraries, and cargo fetches dependencies."""

MAX_ANSWER_BYTES = 256 << 10
"""Bytes of output of the module's process, besides the points."""

MAX_PIXEL_BYTES = 100
"""Bytes of its output for each point."""

MAX_OUTPUT_BYTES = 4 << 20
"""Bytes of a compiler's output. cargo prints about 1 kB for each crate."""

MAX_SHOWN_BYTES = 32 << 10
"""Bytes of that output in an error."""
