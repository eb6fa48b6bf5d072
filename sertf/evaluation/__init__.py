"""Pure functions of predictions: scores, intervals, groups, agreement of repeats, zero-shot."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
