import pandas
import pytest

from sertf import corpora
from sertf.corpora import CorpusError
from sertf.corpora.utterances import TableError
from tests.corpora import trees


def write(folder, text, files=("a/one.wav", "a/two.wav", "b/two.flac"), *, encoding="utf-8"):
    trees.touch(folder, files)
    path = folder / "mine.csv"
    path.write_text(text, encoding=encoding)
    return path


def test_needed_columns_only(tmp_path):
    path = write(tmp_path, "path,emotion,speaker\na/one.wav,Happy,01\na/two.wav,neutral,02\nb/two.flac, SAD ,01\n")
    table = corpora.load_table(path)
    assert table["utterance"].tolist() == ["mine-one", "mine-a/two.wav", "mine-b/two.flac"]
    assert table["path"].tolist() == [str(tmp_path / name) for name in ("a/one.wav", "a/two.wav", "b/two.flac")]
    assert table["emotion"].tolist() == ["happiness", "neutral", "sadness"]
    assert table["speaker"].tolist() == ["mine-01", "mine-02", "mine-01"]
    assert set(table["corpus"]) == {"mine"}
    assert table[["gender", "language", "sentence"]].to_numpy().tolist() == [["", "", ""]] * 3
    assert table.attrs == {"skipped": [], "left_out": {}, "missing": []}


def test_optional_columns(tmp_path):
    text = (
        "speaker,path,emotion,utterance,corpus,gender,language,sentence,room\n"
        f'ann,{tmp_path}/a/one.wav,boredom,u1,lab,F,de,007,"big, cold"\n'
    )
    table = corpora.load_table(write(tmp_path, text, encoding="utf-8-sig"))
    assert table.iloc[0].to_dict() == {
        "utterance": "lab-u1",
        "path": str(tmp_path / "a/one.wav"),
        "corpus": "lab",
        "emotion": "boredom",
        "speaker": "lab-ann",
        "gender": "female",
        "language": "de",
        "sentence": "007",
        "room": "big, cold",
    }


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_a_saved_table_comes_back(tmp_path):
    table = corpora.load("ravdess", trees.touch(tmp_path / "r", trees.ravdess()[:5]))
    table.to_csv(tmp_path / "saved.csv", index=False)
    again = corpora.load_table(tmp_path / "saved.csv")
    pandas.testing.assert_frame_equal(again[table.columns[:8]], table[table.columns[:8]])


def test_bad_rows_are_listed_and_can_be_skipped(tmp_path):
    text = (
        "path,emotion,speaker,gender\n"
        "a/one.wav,happy,01,f\n"
        "a/two.wav,silence,01,f\n"
        "gone.wav,sad,,x\n"
        "a/one.wav,happy,01,f\n"
        "b/two.flac,sad\n"
        ",sad,02,f\n"
    )
    path = write(tmp_path, text)
    with pytest.raises(CorpusError) as caught:
        corpora.load_table(path)
    message = str(caught.value)
    assert "5 rows are bad" in message and "skip_bad=True" in message
    for part in (
        "line 3: emotion 'silence': it is the name of another column or verdict",
        f"line 4: unknown gender 'x'; allowed are female, male or empty; speaker is empty; no such file: {tmp_path}",
        "line 5: path",
        "is in line 2 already",
        "line 6: the row and the first line differ in their number of fields",
        "line 7: path is empty",
    ):
        assert part in message
    table = corpora.load_table(path, skip_bad=True)
    assert table["utterance"].tolist() == ["mine-one"]
    assert [name for name, _ in table.attrs["skipped"]] == ["a/two.wav", "gone.wav", "a/one.wav", "b/two.flac", ""]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "lacks the columns path, emotion, speaker; its first line has nothing"),
        ("path;emotion;speaker\n", "lacks the columns path, emotion, speaker.*; separate them by commas"),
        ("path\temotion\tspeaker\n", "separate them by commas"),
        ("path,emotion,speaker,,\na/one.wav,sad,1,,\n", "has 2 columns without a name; name each in its first line"),
        ("path,speaker\n", "lacks the columns emotion; its first line has path, speaker"),
        ("path,emotion,speaker\n", "a header but no rows"),
        ("path,emotion,speaker\ngone.wav,sad,1\n", "1 rows are bad"),
        ("path,emotion,speaker\n~nosuchuser/a.wav,sad,1\n", "line 2: ~nosuchuser/a.wav: there is no user of this name"),
        ("path,emotion,speaker,emotion\na/one.wav,sad,1,fear\n", "names the columns emotion twice; name each once"),
        ("path,emotion,speaker,parent\na/one.wav,sad,1,a\n", "the column name parent is reserved for augmented copies"),
    ],
)
def test_unusable_files(tmp_path, text, reason):
    with pytest.raises(CorpusError, match=reason):
        corpora.load_table(write(tmp_path, text))


def test_one_file_under_two_names(tmp_path):
    path = write(tmp_path, "path,emotion,speaker\na/one.wav,sad,1\nb/../a/one.wav,happy,1\nb/link.wav,fear,1\n")
    (tmp_path / "b" / "link.wav").symlink_to(tmp_path / "a" / "one.wav")
    with pytest.raises(CorpusError) as caught:
        corpora.load_table(path)
    assert "2 rows are bad" in str(caught.value)
    for line, name in ((3, "b/../a/one.wav"), (4, "b/link.wav")):
        assert f"line {line}: path '{tmp_path}/{name}' is in line 2 already" in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(CorpusError, match="gone.csv: no such file"):
        corpora.load_table(tmp_path / "gone.csv")
    path = write(tmp_path, "path,emotion,speaker\nä.wav,sad,1\n", encoding="latin-1")
    with pytest.raises(CorpusError, match="not readable as CSV in UTF-8"):
        corpora.load_table(path)
    path = write(tmp_path, "path,emotion,speaker\ngone.wav,sad,1\n")
    with pytest.raises(CorpusError, match="all 1 rows are bad"):
        corpora.load_table(path, skip_bad=True)


def test_one_speaker_of_two_genders(tmp_path):
    text = "path,emotion,speaker,gender\na/one.wav,sad,1,f\na/two.wav,sad,1,m\n"
    with pytest.raises(TableError, match="speaker 'mine-1' has several genders"):
        corpora.load_table(write(tmp_path, text))


def test_one_speaker_written_in_two_ways(tmp_path):
    text = "path,emotion,speaker\na/one.wav,happy,{}\na/two.wav,sad,{}\nb/two.flac,sad,ben\n"
    for other in ("anna m", "Anna  M", "\uff21nna M", "Anna\u200b M", "Anna M\u00ad", "\u2060Anna M"):
        with pytest.raises(
            CorpusError, match="speakers 'mine-Anna M' and .* differ only in case, white space or invisible characters"
        ):
            corpora.load_table(write(tmp_path, text.format("Anna M", other)))
    assert corpora.load_table(write(tmp_path, text.format("Anna M", "Anna N")))["speaker"].nunique() == 3


def test_speakers_may_be_unknown_where_they_are_not_needed(tmp_path):
    path = write(tmp_path, "path,emotion\na/one.wav,happy\na/two.wav,sad\n")
    with pytest.raises(CorpusError, match="lacks the column speaker"):
        corpora.load_table(path)
    assert corpora.load_table(path, speakers_needed=False)["speaker"].nunique() == 2


def test_segments_of_a_file(tmp_path):
    text = "path,emotion,speaker,start,end\na/one.wav,sad,1,,2.5\na/one.wav,happy,2,2.5,4\na/two.wav,sad,1,,\n"
    table = corpora.load_table(write(tmp_path, text))
    assert table["path"].tolist() == [
        f"{tmp_path}/a/one.wav#t=0,2.5",
        f"{tmp_path}/a/one.wav#t=2.5,4",
        f"{tmp_path}/a/two.wav",
    ]
    assert table["utterance"].tolist() == ["mine-one_0-2.5", "mine-one_2.5-4", "mine-two"]
    table.to_csv(tmp_path / "saved.csv", index=False)
    assert corpora.load_table(tmp_path / "saved.csv")["path"].tolist() == table["path"].tolist()


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ("2,1", "line 2: end 1 must lie behind start 2"),
        ("-1,1", "line 2: start '-1' must be a number of seconds, as 12.5"),
        ("0:01,1", "line 2: start '0:01' must be"),
        ("1,nan", "line 2: end 'nan' must be"),
        ("1,2\na/one.wav,sad,1,1.0,2.0", "line 3: path .* is in line 2 already"),
    ],
)
def test_times_that_make_no_segment(tmp_path, times, reason):
    with pytest.raises(CorpusError, match=reason):
        corpora.load_table(write(tmp_path, f"path,emotion,speaker,start,end\na/one.wav,sad,1,{times}\n"))


def test_speakers_of_a_csv_by_a_pattern_or_unknown(tmp_path):
    path = write(tmp_path, "path,emotion\na/one.wav,sad\na/two.wav,joy\nb/two.flac,sad\n")
    with pytest.raises(CorpusError, match="lacks the column speaker; .* --speakers unknown"):
        corpora.load_table(path)
    assert corpora.load_table(path, speakers="^(.)/")["speaker"].tolist() == ["mine-a", "mine-a", "mine-b"]
    assert set(corpora.load_table(path, speakers="unknown")["speaker"]) == {"mine-unknown"}
    own = corpora.load_table(path, speakers_needed=False)
    assert own["speaker"].nunique() == 3


def test_speakers_unknown_in_some_rows(tmp_path):
    path = write(tmp_path, "path,emotion,speaker\na/one.wav,sad,unknown\na/two.wav,joy,ann\nb/two.flac,sad,bob\n")
    with pytest.raises(CorpusError, match="the speaker is unknown in 1 of 3 rows; name all speakers, or none"):
        corpora.load_table(path)
