import pytest

from sertf.audio.files import read_audio


@pytest.fixture(scope="session")
def clip(corpus):
    """Samples and rate of one clip."""
    return read_audio(corpus["path"].iloc[3])
