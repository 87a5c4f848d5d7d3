"""The programs of the client processes. Each reads one order from its parent and answers with its figures."""
