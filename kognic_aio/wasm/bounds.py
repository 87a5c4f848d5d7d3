"""What a module may take, and what a compiler may. Beyond it, they are stopped."""

MAX_FUEL = 200_000_000
"""Instructions of a call: less than a second's worth. A byte that an instruction fills or copies counts as one."""

MAX_MEMORY_BYTES = 64 << 20
"""Bytes of the one memory that a module may have."""

MAX_TABLES = 4
"""Tables that a module may have."""

MAX_TABLE_ELEMENTS = 100_000
"""Elements of each of its tables."""

MAX_CPU_SECONDS = 3
"""Processor time to compile a module and to project all points, where the system can bound it."""

VALIDATION_TIMEOUT = 4.0
"""Seconds on the clock for the same."""

MAX_PROCESS_BYTES = 192 << 20
"""Bytes of writable memory of the process of a module, where the system can bound it."""

MAX_ADDRESS_SPACE = 16 << 30
"""Bytes of its address space. wasmtime reserves some GiB of addresses for a memory."""

MAX_PROCESSES = 2
"""Modules that are validated at once; others wait for their turn, before their time begins."""

COMPILATION_TIMEOUT = 600.0
"""Seconds for a compiler. The first run of emcc builds its own libraries, and cargo fetches what a crate needs."""

MAX_ANSWER_BYTES = 256 << 10
"""Bytes that the process of a module may answer, besides the points."""

MAX_PIXEL_BYTES = 100
"""Bytes that it may answer for each point."""

MAX_OUTPUT_BYTES = 4 << 20
"""Bytes that a compiler may print; cargo prints about 1 kB for each crate."""

MAX_SHOWN_BYTES = 32 << 10
"""Bytes of it that get into an error."""
