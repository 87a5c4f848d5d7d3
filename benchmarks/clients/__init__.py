"""What runs in the client processes: each module takes one order from its parent and answers with its figures."""
