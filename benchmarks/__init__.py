"""What kognic_aio costs: `python -m benchmarks` times it beside kognic-io on the same scenes.

The emulator and each run of a client have a process of their own, made afresh every time. `compare` runs a case,
`table` prints it, `memory` and `imports` take two other measures, `clients` holds what runs in the client processes.
"""
