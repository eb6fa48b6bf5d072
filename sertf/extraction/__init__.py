"""Features of recordings, computed once and cached by content. Importing this package does not import Keras."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
