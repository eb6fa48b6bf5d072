from sertf.corpora import records


def test_columns_are_found_in_any_case():
    assert records.column_of(["Audio", "Emotion", "label"], records.LABELS) == "Emotion"
    assert records.column_of(["speaker_id"], records.SPEAKERS) == "speaker_id"
    assert records.column_of(["mood"], records.LABELS) is None


def test_equal_recordings_are_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RECORDINGS", tmp_path)
    first, second = records.kept(b"abc", ".wav", "toy"), records.kept(b"abc", ".wav", "toy")
    assert first == second and first.read_bytes() == b"abc" and first.parent == tmp_path / "toy"
    assert records.kept(b"abd", ".wav", "toy") != first


def test_the_error_names_the_extra():
    assert str(records.needs("tfds", "data", "a TensorFlow data set")).startswith(
        "data is a TensorFlow data set; install"
    )
