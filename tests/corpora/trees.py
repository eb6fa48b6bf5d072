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


def cremad():
    """Names with the published numbers an emotion: 91 actors, 12 sentences, the first of them at three levels."""
    others = ("TIE", "IOM", "IWW", "TAI", "MTI", "IWL", "ITH", "DFA", "ITS", "TSI", "WSI")
    names = []
    for actor in range(1001, 1092):
        names += [f"{actor}_IEO_{code}_{level}" for code in CREMAD_CODES for level in ("LO", "MD", "HI")]
        names += [f"{actor}_{sentence}_{code}_XX" for sentence in others for code in (*CREMAD_CODES, "NEU")]
        names.append(f"{actor}_IEO_NEU_XX")
    # Of the full plan the corpus lacks 3 clips of each emotion and 5 of the neutral voice.
    lacking = {f"1002_{sentence}_{code}_XX" for sentence in others[:3] for code in CREMAD_CODES}
    lacking |= {f"1002_{sentence}_NEU_XX" for sentence in others[:5]}
    return [f"AudioWAV/{name}.wav" for name in names if name not in lacking]


CREMAD_CODES = ("ANG", "DIS", "FEA", "HAP", "SAD")


def nemo():
    """Names with the published numbers an emotion."""
    counts = {"anger": 749, "fear": 736, "happiness": 749, "neutral": 809, "sadness": 769, "surprised": 669}
    speakers = ("EB0", "IC0", "KD0", "KS0", "MK0", "MP0", "SM0", "TP0", "WR0")
    return [
        f"samples/{speakers[place % 9]}_{emotion}_{place // 9 + 1}.wav"
        for emotion, count in counts.items()
        for place in range(count)
    ]


def emovo():
    sentences = ("b1", "b2", "b3", "d1", "d2", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5")
    return [
        f"{speaker}/{emotion}-{speaker}-{sentence}.wav"
        for speaker in ("f1", "f2", "f3", "m1", "m2", "m3")
        for emotion in ("dis", "gio", "neu", "pau", "rab", "sor", "tri")
        for sentence in sentences
    ]


def urdu():
    """The published names: clips of each speaker, numbered within the emotion."""
    clips = {
        "Angry": {"SM1": 22, "SM2": 28, "SM3": 2, "SM4": 48},
        "Happy": {"SF1": 12, "SF2": 2, "SF3": 2, "SF4": 4, "SF5": 4, "SF6": 14, "SF7": 6, "SF8": 2}
        | {"SM17": 2, "SM18": 2, "SM19": 2, "SM3": 2, "SM5": 8, "SM6": 10, "SM7": 28},
        "Neutral": {"SF9": 4, "SM20": 10, "SM21": 4, "SM22": 2, "SM3": 8, "SM5": 72},
        "Sad": {"SF10": 2, "SF11": 4, "SM23": 6, "SM24": 38, "SM25": 40, "SM26": 2, "SM27": 4, "SM6": 4},
    }
    names = []
    for emotion, speakers in clips.items():
        files = [(speaker, place) for speaker, count in speakers.items() for place in range(1, count + 1)]
        names += [
            f"{emotion}/{speaker}_F{place}_{emotion[0]}0{number}.wav"
            for number, (speaker, place) in enumerate(files, 1)
        ]
    return names


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
