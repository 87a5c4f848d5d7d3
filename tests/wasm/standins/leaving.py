"""A compiler that writes its module and ends, but leaves a process that holds its output until the test hangs up."""

import os
import socket
import subprocess
import sys
from pathlib import Path

WAITING = "import socket, sys; socket.socket(fileno=int(sys.argv[1])).recv(1)"

connection = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
descriptor = connection.fileno()
subprocess.Popen(
    [sys.executable, "-c", WAITING, str(descriptor)], pass_fds=[descriptor], start_new_session="ESCAPES" in os.environ
)
connection.sendall(b"started")
for argument in sys.argv:
    if argument.startswith("-o"):
        Path(argument.removeprefix("-o")).write_bytes(Path(os.environ["MODULE"]).read_bytes())
