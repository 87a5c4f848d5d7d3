"""Benchmarks: `python -m benchmarks` compares kognic_aio with other ways to create the same inputs.

`suite` has the benchmarks, `cases` what they are made of, and `contenders` the programs that they run. `runner` runs
them, each in a process of its own against an emulator in another (`child`, `server`, `emulation`). `figures` is what is
measured, `machine` where, and `results` keeps it. `tables`, `plots` and `pages` show it. `beyond` and `together`
predict what cannot be measured on one machine. `imports` times the import of the package.
"""
