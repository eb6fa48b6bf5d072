"""What the paper on wavelet-scaled spectrograms prints, by corpus, and what its numbers contradict."""

# Table 4: accuracy in percent by fold.
FOLDS = {
    "emodb": {"paper": (94.21, 96.89, 89.51), "strict": (87.39, 88.48, 87.46)},
    "ravdess": {"paper": (74.31, 72.49, 95.00), "strict": (71.71, 73.43, 91.10)},
}
# Their means on EmoDB. On RAVDESS, where the third folds are what Table 6 claims for all, the averages of section 4.2.
MEANS = {
    "emodb": {"paper": 93.54, "strict": 87.78},
    "ravdess": {"paper": 72.74, "strict": 73.75},
}
# Table 5: precision, recall and F1 in percent of the emotions that a corpus has, without a word on the split.
EMOTIONS = {
    "emodb": {
        "disgust": (90.70, 90.80, 90.75),
        "sadness": (93.50, 93.80, 93.65),
        "anger": (92.80, 93.00, 92.90),
        "fear": (91.50, 91.70, 91.60),
        "happiness": (92.10, 91.90, 92.00),
    },
    "ravdess": {
        "neutral": (93.80, 93.50, 93.65),  # printed as calm
        "disgust": (92.40, 92.60, 92.50),
        "sadness": (95.80, 95.50, 95.65),
        "surprise": (92.00, 92.10, 92.05),
        "anger": (95.20, 94.90, 95.05),
        "fear": (93.90, 93.80, 93.85),
        "happiness": (94.90, 94.80, 94.85),
    },
}
# Table 6: the other systems' accuracies in percent. Both parts are given, since the table mixes up its four parts.
OTHERS = {
    "emodb": {
        "Huang et al., speaker-dependent": 88.30,
        "Issa et al., speaker-dependent": 86.10,
        "Zhao et al., speaker-dependent": 76.64,
        "Rintala, speaker-dependent": 83.49,
        "Badshah et al., speaker-independent": 52.00,
        "Huang et al., speaker-independent": 85.20,
        "Ruvolo et al., speaker-independent": 78.70,
        "Zhao et al., speaker-independent": 82.42,
    },
    "ravdess": {
        "Rintala, speaker-dependent": 75.78,
        "Shegokar and Sircar, speaker-dependent": 52.00,
        "human accuracy": 75.51,
        "Zeng et al., speaker-dependent": 78.70,
        "Issa et al., speaker-independent": 85.20,
        "Zhao et al., speaker-independent": 82.20,
        "Rintala, speaker-independent": 63.71,
    },
}
REMARKS = {
    "emodb": (
        "None of the three speaker-dependent accuracies is a multiple of 1/107, a fifth of EmoDB's 535 utterances. The "
        "smallest test part that gives all three has 934 rows if digits were cut off, 1382 if rounded. None of the "
        "speaker-independent accuracies fits a woman and a man.",
        "Table 4 prints two columns for EmoDB, headed Dataset and Accuracy: 94.21, 96.89, 89.51 and 87.39, 88.48, 87.46. "
        "They are read as the speaker-dependent and the speaker-independent folds; the published accuracies above are "
        "their means, 93.54 and 87.78.",
        "Speaker-dependent, section 4.1.1 averages the folds to 93.49, Table 6 has 93.53, and 93.53 is also what the text "
        "gives for sadness, which it calls the worst recognised; in Table 5 sadness has the highest recall, 93.80.",
        "Speaker-independent, section 4.1.1 averages to 89.46, more than any of the three folds; section 4.4 has 87.46, the "
        "third fold, and so has Table 6, in its part for speaker-dependent RAVDESS.",
        "Table 5 lists calm (precision 91.80, recall 92.00, F1 91.90) and surprise (89.50, 89.20, 89.35) for EmoDB, which "
        "has neither, and lacks neutral and boredom.",
    ),
    "ravdess": (
        "72.49 and 95.00 are no multiples of 1/288, a fifth of RAVDESS's 1440 utterances. None of 71.71, 73.43 and 91.10 is "
        "one of 1/120, the utterances of two speakers.",
        "Speaker-dependent, Table 4 prints 74.31, 72.49 and 95.00. Section 4.2.1 averages the folds to 72.74 and lets the "
        "third reach 74.39; section 4.4 and Table 6 claim 95.00. The published accuracy above is the 72.74.",
        "Speaker-independent, Table 4 prints 71.71, 73.43 and 91.10. Section 4.2.2 averages to 73.75; section 4.4 and Table "
        "6 claim 92.10. The published accuracy above is the 73.75.",
        "Table 6 has 95.00 and 92.10 both in its part for speaker-independent RAVDESS; its part for speaker-dependent "
        "RAVDESS has 87.46, which section 4.4 gives for EmoDB.",
        "Table 5 prints recalls that average to 93.89, which an accuracy of 72.74 rules out; it lists calm and no neutral, "
        "so its calm stands beside our neutral.",
        "Section 3.3.2 speaks of eight emotions, section 3.5.2 of seven classes and a random baseline of 14.29 %: calm "
        "counts as neutral here.",
        "Section 3.5.2 puts two speakers at some 20 % of the data; two of RAVDESS's 24 are 8 %.",
    ),
}
REMARKS_ON_BOTH = (
    "The accuracies of Table 4 are each fold's highest (sections 4.1.1 and 4.2.1), by the part that is tested, which the "
    "paper calls validation. Which utterances a fold holds is not printed; the fold numbers here are ours.",
    "Table 6 compares with other systems in four parts. Two of them print the same seven rows on RAVDESS, and Huang et al. "
    "stand twice on EmoDB without the speakers, with 75.51, which is also what it gives for human accuracy, and 85.20.",
    "The paper prints the transform with a factor of 1/a; PyWavelets has 1/√a. So have we, where a title does not "
    "say otherwise. With 1/a power falls by 3 dB an octave towards low frequencies, against 1/√a.",
    "Table 5 does not say of which split it is; its values stand beside those of `paper`.",
)
RATE_REMARK = (
    "Table 2 prints a learning rate of 0.1 with Adam, section 3.5 a search from 0.1 to 0.00001; trained here with 0.001, and "
    "with 0.1 as `cpu_rate_01`."
)


def published_on(corpus: str) -> dict[str, dict[str, tuple]]:
    """Published scores by protocol, from 0 to 1."""
    printed = {
        protocol: {"wa": MEANS[corpus][protocol]} | {f"wa_fold-{i}": value for i, value in enumerate(folds, 1)}
        for protocol, folds in FOLDS[corpus].items()
    }
    for emotion, values in EMOTIONS[corpus].items():
        printed["paper"] |= {f"{key}_{emotion}": value for key, value in zip(("precision", "recall", "f1"), values)}
    return {
        protocol: {key: (round(value / 100, 4), None, None) for key, value in scores.items()}
        for protocol, scores in printed.items()
    }
