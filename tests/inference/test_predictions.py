import pickle

import numpy as np

from sertf.inference.predictions import Predictions

EMOTIONS = ["neutral", "calm", "happiness", "sadness", "anger", "fear", "disgust", "surprise"]


def table(rows):
    columns = ["file", "start", "end", "emotion", "confidence", "verdict", *EMOTIONS]
    return Predictions([(*row, *[0.1] * 8) for row in rows], columns=columns)


def test_printed_in_80_columns_with_verdict_and_confidence():
    long = "/a/very/long/folder/of/somebody/with/many/recordings/clip_0001.wav"
    printed = str(
        table(
            [
                (long, 0.0, 10.0, "happiness", 0.912, "happiness"),
                (long, 5.0, 15.0, "disgust", 0.31, "uncertain"),
                (long, 10.0, 20.0, None, np.nan, "silence"),
            ]
        )
    ).splitlines()
    assert max(map(len, printed)) <= 80
    assert printed[0].split() == ["file", "start", "end", "verdict", "confidence"]
    assert printed[1].split()[-2:] == ["happiness", "0.91"] and "clip_0001.wav" in printed[1]
    assert "uncertain (disgust?)" in printed[2] and printed[3].split()[-2:] == ["silence", "-"]
    assert printed[4] == "[3 rows; scores in 8 further columns]"


def test_it_is_a_data_frame():
    found = table([("a.wav", 0.0, 1.0, "anger", 0.9, "anger")])
    assert found["anger"].tolist() == [0.1] and found.iloc[0]["emotion"] == "anger"
    assert "0.1" in str(found[["file", "anger"]])
    assert str(found[found["confidence"] > 1]).startswith("Empty Predictions")
    assert str(pickle.loads(pickle.dumps(found))) == str(found)
