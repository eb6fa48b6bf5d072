"""Complete corpora as trees of empty files: parsers go by names and never decode."""

RAVDESS_EMOTIONS = range(1, 9)


def touch(root, names):
    folders = set()
    for name in names:
        path = root / name
        if path.parent not in folders:
            path.parent.mkdir(parents=True, exist_ok=True)
            folders.add(path.parent)
        path.touch()
    return root


def ravdess():
    return [
        f"Actor_{actor:02d}/03-01-{emotion:02d}-{intensity:02d}-{sentence:02d}-{take:02d}-{actor:02d}.wav"
        for actor in range(1, 25)
        for emotion in RAVDESS_EMOTIONS
        for intensity in (1, 2)
        for sentence in (1, 2)
        for take in (1, 2)
        if (emotion, intensity) != (1, 2)
    ]


def tess():
    names = [
        f"{speaker}_{emotion}/{speaker}_w{chr(97 + word // 26)}{chr(97 + word % 26)}_{emotion}.wav"
        for speaker in ("OAF", "YAF")
        for emotion in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad")
        for word in range(200)
    ]
    names[names.index("OAF_neutral/OAF_waa_neutral.wav")] = "OAF_neutral/OA_bite_neutral.wav"
    return names


def savee():
    return [
        f"{speaker}/{code}{number:02d}.wav"
        for speaker in ("DC", "JE", "JK", "KL")
        for code in ("a", "d", "f", "h", "n", "sa", "su")
        for number in range(1, 31 if code == "n" else 16)
    ]


def casia():
    return [
        f"{speaker}/{emotion}/{text}.wav"
        for speaker in ("liuchanhg", "wangzhe", "zhaoquanyin", "ZhaoZuoxiang")
        for emotion in ("angry", "fear", "happy", "neutral", "sad", "surprise")
        for text in range(201, 251)
    ]


def esd(speakers=range(1, 21)):
    return [
        f"{speaker:04d}/{emotion}/{speaker:04d}_{350 * index + text:06d}.wav"
        for speaker in speakers
        for index, emotion in enumerate(("Neutral", "Angry", "Happy", "Sad", "Surprise"))
        for text in range(1, 351)
    ]


def emodb():
    """Every row of the corpus's speakers, in letters: 535 names with the published counts an emotion."""
    totals = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
    speakers = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")
    sentences = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = [f"wav/{who}{text}{{}}{take}.wav" for take in "ab" for text in sentences for who in speakers]
    return [names[index].format(letter) for letter, total in totals.items() for index in range(total)]


def iemocap(turns):
    """{turn: code} to {path: text} of label files and audio in the release's layout."""
    texts, audio = {}, []
    for turn, code in turns.items():
        dialogue, session = turn.rpartition("_")[0], int(turn[3:5])
        path = f"Session{session}/dialog/EmoEvaluation/{dialogue}.txt"
        line = f"[6.2901 - 8.2357]\t{turn}\t{code}\t[2.5000, 3.0000, 1.5000]\nC-E2:\tNeutral;\t()\n"
        texts[path] = texts.get(path, "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n") + line
        audio.append(f"Session{session}/sentences/wav/{dialogue}/{turn}.wav")
    return texts, audio
