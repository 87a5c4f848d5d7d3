"""What stands in for compilers: scripts that tests put on a PATH of their own."""
