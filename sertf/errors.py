"""The one base class of every error that a user can mend."""


class SertfError(ValueError):
    """A user's mistake, said in one sentence: what came, what is allowed, how to mend it.

    Everything that sertf raises on bad input derives from this class, so that a command line can print the sentence
    without a stack trace while a fault of the code itself still shows its trace.
    """
