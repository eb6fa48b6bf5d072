"""Features of recordings, computed once and cached by their content; nothing here imports Keras at import."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
