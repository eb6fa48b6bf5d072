"""Fields that each parser reads, literally, and what each corpus has of its own."""

import warnings
from pathlib import Path

import pytest

from sertf import corpora
from sertf.corpora import CORPORA, CorpusError
from tests.corpora import trees

# corpus, file, and the row that it gives (without path)
ROWS = [
    (
        "ravdess",
        "Actor_12/03-01-06-02-02-01-12.wav",
        ("ravdess-03-01-06-02-02-01-12", "fear", "ravdess-12", "female", "en", "02"),
        {"intensity": "strong", "take": 1, "channel": "speech"},
    ),
    (
        "ravdess",
        "03-01-01-01-01-02-01.flac",
        ("ravdess-03-01-01-01-01-02-01", "neutral", "ravdess-01", "male", "en", "01"),
        {"intensity": "normal", "take": 2},
    ),
    ("emodb", "wav/03a01Fa.wav", ("emodb-03a01Fa", "happiness", "emodb-03", "male", "de", "a01"), {"take": "a"}),
    ("emodb", "16b10Lc.WAV", ("emodb-16b10Lc", "boredom", "emodb-16", "female", "de", "b10"), {"take": "c"}),
    ("emodb", "wav/08a02Wa.wav", ("emodb-08a02Wa", "anger", "emodb-08", "female", "de", "a02"), {}),
    ("emodb", "wav/09a04Ab.wav", ("emodb-09a04Ab", "fear", "emodb-09", "female", "de", "a04"), {}),
    (
        "tess",
        "OAF_angry/OAF_back_angry.wav",
        ("tess-OAF_back_angry", "anger", "tess-OAF", "female", "en", "back"),
        {},
    ),
    ("tess", "OA_bite_neutral.wav", ("tess-OAF_bite_neutral", "neutral", "tess-OAF", "female", "en", "bite"), {}),
    (
        "tess",
        "YAF_pleasant_surprised/YAF_wag_ps.wav",
        ("tess-YAF_wag_ps", "surprise", "tess-YAF", "female", "en", "wag"),
        {},
    ),
    ("savee", "DC/a01.wav", ("savee-DC_a01", "anger", "savee-DC", "male", "en", "a01"), {}),
    ("savee", "KL_sa15.wav", ("savee-KL_sa15", "sadness", "savee-KL", "male", "en", "sa15"), {}),
    ("savee", "JE/n30.wav", ("savee-JE_n30", "neutral", "savee-JE", "male", "en", "n30"), {}),
    (
        "casia",
        "liuchanhg/angry/201.wav",
        ("casia-201-angry-liuchanhg", "anger", "casia-liuchanhg", "", "zh", "201"),
        {},
    ),
    (
        "casia",
        "happy/250-happy-ZhaoZuoxiang.wav",
        ("casia-250-happy-ZhaoZuoxiang", "happiness", "casia-ZhaoZuoxiang", "", "zh", "250"),
        {},
    ),
    ("casia", "233-fear-wangzhe.wav", ("casia-233-fear-wangzhe", "fear", "casia-wangzhe", "", "zh", "233"), {}),
    (
        "esd",
        "0011/Angry/0011_000351.wav",
        ("esd-0011_000351", "anger", "esd-0011", "male", "en", "en-000"),
        {"part": ""},
    ),
    (
        "esd",
        "0002/Surprise/train/0002_001750.wav",
        ("esd-0002_001750", "surprise", "esd-0002", "female", "zh", "zh-349"),
        {"part": "train"},
    ),
    ("esd", "0019_000001.wav", ("esd-0019_000001", "neutral", "esd-0019", "female", "en", "en-000"), {"part": ""}),
]
# corpus, file, reason
BAD = [
    ("ravdess", "03-01-06-01-03-01-12.wav", "the name fits no ravdess utterance"),
    ("ravdess", "03-03-06-01-02-01-12.wav", "unknown channel '03'; allowed are 01, 02"),
    ("ravdess", "03-01-06-03-02-01-12.wav", "unknown intensity '03'"),
    ("emodb", "wav/03a01Xa.wav", "unknown emotion 'X'; allowed are W, L, E, A, F, T, N"),
    ("emodb", "wav/04a01Fa.wav", "unknown speaker '04'"),
    ("emodb", "wav/03a03Fa.wav", "unknown sentence 'a03'"),
    ("emodb", "wav/03a01F.wav", "expected is one like 03a01Fa.wav"),
    ("tess", "OAF_back_bored.wav", "unknown emotion 'bored'"),
    ("tess", "XAF_back_angry.wav", "unknown speaker 'XAF'"),
    ("savee", "DC/b01.wav", "unknown emotion 'b'"),
    ("savee", "XX/a01.wav", "unknown speaker .* 'XX'"),
    ("savee", "DC/a16.wav", "unknown sentence 16; anger has 01 to 15"),
    ("casia", "liuchanhg/bored/201.wav", "unknown emotion .* 'bored'"),
    ("casia", "nobody/angry/201.wav", "unknown speaker .* 'nobody'"),
    ("casia", "liuchanhg/angry/251.wav", "unknown text 251"),
    ("esd", "0011/Angry/0011_000350.wav", "number 000350 is Neutral, its folder Angry"),
    ("esd", "0021/Angry/0021_000351.wav", "unknown speaker '0021'"),
    ("esd", "0011/Angry/0011_001751.wav", "unknown number 001751"),
]


@pytest.mark.parametrize(("name", "file", "fields", "extras"), ROWS, ids=[row[1] for row in ROWS])
@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(tmp_path, name, file, fields, extras):
    table = corpora.load(name, trees.touch(tmp_path, [file]))
    assert len(table) == 1
    row = table.iloc[0].to_dict()
    keys = ("utterance", "emotion", "speaker", "gender", "language", "sentence")
    assert tuple(row[key] for key in keys) == fields
    assert row["corpus"] == name and row["path"] == str(tmp_path / file)
    assert {key: row[key] for key in extras} == extras


@pytest.mark.parametrize(("name", "file", "reason"), BAD, ids=[row[1] for row in BAD])
def test_bad_names(tmp_path, name, file, reason):
    with pytest.raises(CorpusError, match=f"1 files of {name} are bad(?s:.*){reason}"):
        corpora.load(name, trees.touch(tmp_path, [file]))


def test_ravdess_song(tmp_path):
    songs = [
        name.replace("/03-01-", "/03-02-")
        for name in trees.ravdess()
        if name.split("-")[2] not in ("07", "08") and "Actor_18" not in name
    ]
    assert len(songs) == 1012
    trees.touch(tmp_path, trees.ravdess() + songs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        speech = corpora.load("ravdess", tmp_path)
        both = corpora.load("ravdess", tmp_path, song=True)
    assert len(speech) == 1440 and speech.attrs["left_out"] == {"song; song=True takes it": 1012}
    assert len(both) == 2452 and (both["channel"] == "song").sum() == 1012
    only_songs = trees.touch(tmp_path / "songs", songs[:1])
    with pytest.raises(CorpusError, match="asked for; 1 left out: song; song=True takes it"):
        corpora.load("ravdess", only_songs)


def test_emodb_counts(tmp_path):
    with pytest.warns(corpora.CorpusWarning, match="535 of 535"):
        table = corpora.load("emodb", trees.touch(tmp_path, trees.emodb()))
    assert table["emotion"].value_counts()["anger"] == 127
    card = CORPORA["emodb"]
    assert card.utterances == len(table)


def test_flattened_layouts(tmp_path):
    savee = [name.replace("/", "_") for name in trees.savee()]
    casia = ["{2}-{1}-{0}.wav".format(*Path(name).with_suffix("").parts) for name in trees.casia()]
    tess = [Path(name).name for name in trees.tess()]
    for name, files in (("savee", savee), ("casia", casia), ("tess", tess)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(corpora.load(name, trees.touch(tmp_path / name, files))) == CORPORA[name].utterances


def test_esd_languages(tmp_path):
    files = trees.esd(speakers=(10, 11))
    trees.touch(tmp_path, files)
    with pytest.warns(corpora.CorpusWarning, match="3500 of 35000"):
        both = corpora.load("esd", tmp_path)
    assert both["sentence"].nunique() == 700 and both.groupby("emotion").size().to_dict() == dict.fromkeys(
        ("anger", "happiness", "neutral", "sadness", "surprise"), 700
    )
    assert both.attrs["missing"][0] == "esd-0001: all 1750 utterances are missing"
    with pytest.warns(corpora.CorpusWarning, match="1750 of 17500"):
        english = corpora.load("esd", tmp_path, language="en")
    assert set(english["speaker"]) == {"esd-0011"} and set(english["language"]) == {"en"}
    assert english.attrs["left_out"] == {"language zh; language='zh' or None takes it": 1750}
    with pytest.raises(CorpusError, match="language must be None, 'en' or 'zh'; got 'de'"):
        corpora.load("esd", tmp_path, language="de")
