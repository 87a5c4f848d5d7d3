"""Benchmarks: `python -m benchmarks` compares kognic_aio with kognic-io on the same scenes.

The emulator and each run of a client get a fresh process of their own. `compare` runs a case and `table` formats it.
`memory` and `imports` are two other benchmarks. `clients` has the programs of the client processes.
"""
