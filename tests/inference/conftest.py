import pytest


@pytest.fixture(scope="session")
def of_one_second(done, tmp_path_factory):
    """An exported model whose front end reads the first second of a clip."""
    from sertf.features import Waveform
    from tests.inference.exports import export_of

    return export_of(Waveform(8000, samples=8000), done, tmp_path_factory.mktemp("span"))
