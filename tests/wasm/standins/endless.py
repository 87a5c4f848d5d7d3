"""A compiler that never ends, nor does the one that it starts. Both hold a connection to the test."""

import os
import signal
import socket
import subprocess
import sys

connection = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], pass_fds=[connection.fileno()])
connection.sendall(b"started")
signal.pause()
