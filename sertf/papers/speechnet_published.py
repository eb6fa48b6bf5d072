"""What the SpeechNet paper prints, by corpus: its own scores, its ablations, its baselines and other systems."""

# Tables 3 and 4: mean, standard deviation and best of ten repeats; reproducibility is one figure of all ten.
SCORES = {
    "emodb": {
        "wa": (0.8766, 0.0181, 0.9065),
        "thresholded_precision": (0.8827, 0.0215, 0.9223),
        "thresholded_recall": (0.8505, 0.0280, 0.8972),
        "thresholded_f1": (0.8662, 0.0232, 0.9057),
        "PLR": (0.9159, None, None),
        "PCLR": (0.8318, None, None),
    },
    "savee": {
        "wa": (0.7021, 0.0430, 0.7604),
        "thresholded_precision": (0.7181, 0.0439, 0.8000),
        "thresholded_recall": (0.6709, 0.0440, 0.7292),
        "thresholded_f1": (0.6935, 0.0425, 0.7514),
        "PLR": (0.8125, None, None),
        "PCLR": (0.6354, None, None),
    },
    "casia": {
        "wa": (0.8779, 0.0162, 0.9000),
        "thresholded_precision": (0.8835, 0.0176, 0.9048),
        "thresholded_recall": (0.8683, 0.0187, 0.9000),
        "thresholded_f1": (0.8758, 0.0174, 0.9019),
        "PLR": (0.9208, None, None),
        "PCLR": (0.8083, None, None),
    },
    "iemocap": {
        "wa": (0.6708, 0.0128, 0.7012),
        "thresholded_precision": (0.7050, 0.0277, 0.7452),
        "thresholded_recall": (0.6095, 0.0425, 0.6823),
        "thresholded_f1": (0.6522, 0.0218, 0.6951),
        "PLR": (0.6682, None, None),
        "PCLR": (0.6102, None, None),
    },
    "esd": {
        "wa": (0.9683, 0.0016, 0.9707),
        "thresholded_precision": (0.9692, 0.0015, 0.9719),
        "thresholded_recall": (0.9675, 0.0017, 0.9699),
        "thresholded_f1": (0.9683, 0.0016, 0.9709),
        "PLR": (0.9266, None, None),
        "PCLR": (0.9144, None, None),
    },
}
# Table 5: accuracies of others on the same corpora, each by its own authors' protocol; "Ours" there are baselines.
OTHERS = {
    "emodb": {
        "3DRNN + Attention": 0.8582,
        "Dual-TBNet": 0.8410,
        "QCNN": 0.8878,
        "CNN-LSTM-GRU": 0.6774,
        "MA-CapsNet": 0.7789,
        "S2ST": 0.8594,
    },
    "savee": {
        "Attention + CNN + BLSTM": 0.5650,
        "AlexNet + CFS + FC": 0.6690,
        "EnsembleWave": 0.6800,
        "AACCN": 0.7250,
        "MA-CapsNet": 0.5905,
        "IFN": 0.7375,
    },
    "casia": {
        "DT-SVM": 0.8508,
        "TLFMRF": 0.8583,
        "DenseNet-GRU": 0.8000,
        "AS-CANet": 0.6708,
        "hc-former": 0.8708,
        "STACN": 0.8917,
    },
    "iemocap": {
        "MHA + DRN": 0.6740,
        "QCNN": 0.7046,
        "TIM-Net": 0.7250,
        "Dual-TBNet": 0.6480,
        "hc-former": 0.6813,
        "DSTCNet": 0.6180,
    },
    "esd": {"PulseEmoNet": 0.9598, "IFN": 0.9631, "STACN": 0.9592},
}
# Table 4, of systems that are not rebuilt here: PLR and PCLR.
OTHERS_AGREEMENT = {
    "emodb": {"CPAC": (0.5370, 0.4444), "TIM-Net": (0.8131, 0.6916)},
    "savee": {"CPAC": (0.7500, 0.5417), "TIM-Net": (0.7083, 0.6042)},
    "casia": {"CPAC": (0.5333, 0.4000), "TIM-Net": (0.7750, 0.7125)},
    "iemocap": {"CPAC": (0.8040, 0.5857), "TIM-Net": (0.6147, 0.4588)},
    "esd": {"CPAC": (0.8919, 0.8657), "TIM-Net": (0.8466, 0.8410)},
}

# Table 2: accuracy, precision, recall and F1 on EmoDB; a single figure each; the number of repeats is not stated.
ABLATIONS = {
    "without_encoding": (0.8037, 0.8137, 0.7757, 0.7943),
    "without_recall": (0.8318, 0.8462, 0.8224, 0.8341),
    "without_pre_attention": (0.8411, 0.8396, 0.8318, 0.8396),
    "without_attention": (0.8505, 0.8571, 0.8411, 0.8491),
    "without_refinement": (0.8692, 0.8692, 0.8692, 0.8692),
    "without_routing": (0.8692, 0.8679, 0.8598, 0.8638),
    "without_modified_routing": (0.8598, 0.8667, 0.8505, 0.8585),
}

# Table 4: PLR and PCLR. U-Net and RBM stand in Figure 6 only, without figures.
BASELINES = {
    "emodb": {
        "lstm": (0.4206, 0.3458),
        "gru": (0.1495, 0.1402),
        "cnn": (0.1963, 0.1869),
        "transformer": (0.5421, 0.5140),
        "autoencoder": (0.3364, 0.2150),
        "lsm": (0.1495, 0.1495),
        "tcn": (0.1215, 0.1028),
    },
    "savee": {
        "lstm": (0.2083, 0.1458),
        "gru": (0.1667, 0.1146),
        "cnn": (0.1458, 0.1250),
        "transformer": (0.2708, 0.2500),
        "autoencoder": (0.2188, 0.1667),
        "lsm": (0.1562, 0.1458),
        "tcn": (0.0625, 0.0625),
    },
    "casia": {
        "lstm": (0.0208, 0.0083),
        "gru": (0.0042, 0.0042),
        "cnn": (0.1917, 0.1792),
        "transformer": (0.5792, 0.5708),
        "autoencoder": (0.4083, 0.3250),
        "lsm": (0.0208, 0.0208),
        "tcn": (0.2333, 0.2208),
    },
    "iemocap": {
        "lstm": (0.5385, 0.3913),
        "gru": (0.1661, 0.1483),
        "cnn": (0.1884, 0.1605),
        "transformer": (0.3623, 0.3110),
        "autoencoder": (0.3032, 0.2230),
        "lsm": (0.2230, 0.1828),
        "tcn": (0.1706, 0.1472),
    },
    "esd": {
        "lstm": (0.7976, 0.7959),
        "gru": (0.5507, 0.5486),
        "cnn": (0.5749, 0.5709),
        "transformer": (0.8204, 0.8163),
        "autoencoder": (0.6140, 0.4933),
        "lsm": (0.6260, 0.6230),
        "tcn": (0.7364, 0.7321),
    },
}
# Table 5, the paper's own baselines; on the other corpora here it prints none.
BASELINES_WA = {"esd": {"lstm": 0.9361, "cnn": 0.8874, "transformer": 0.9380}}
