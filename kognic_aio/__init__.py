"""An asyncio SDK for the Kognic annotation platform."""
