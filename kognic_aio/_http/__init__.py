"""How we talk: storage and APIs over one transport, and below them the wire's own format, without a socket in sight."""
