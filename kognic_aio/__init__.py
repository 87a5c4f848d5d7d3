"""An asyncio SDK for the Kognic annotation platform: scenes in, inputs out."""

import logging

import lazy_loader

from kognic_aio._text import OneLine

# `__init__.pyi` says where each name is from. It is imported when it is used, so that commands start fast.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing by itself
logging.getLogger(__name__).addFilter(OneLine())  # escapes line breaks in names, which could forge log lines
