"""Reports: numbers, pages and figures from run folders, never from a live model."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
