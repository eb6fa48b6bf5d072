"""The page of a model card: its Markdown, and the files that an exported model's folder holds of it."""

import json
from pathlib import Path
from typing import Any

from sertf.files import write_text
from sertf.inference.card import CARD, Card, KnownSpeakers, UnderConditions
from sertf.inference.hub_card import front_matter

PAGE = "README.md"


def write_card(folder: Path, card: Card) -> None:
    """Write a model's card into its folder: as JSON, and as the page that the Hugging Face Hub reads."""
    write_text(folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / PAGE, front_matter(card) + render_card(card))


_LIMITS = """\
For research and teaching: to compare methods, to build demonstrations, to start new work from. The labels name the
emotion that a speaker was asked to act or that listeners perceived, not what anyone felt. The scores above hold for
speakers, languages and recordings like the corpus's. Expect lower scores on other speech. A score is a model's guess
about a clip, not a fact about a person. Base no decision about a person on it."""

_USE = """\
```python
import tensorflow as tf

model = tf.saved_model.load("{name}")
waveform = tf.zeros([1, {rate}])  # (batch, samples), mono, float32, full scale at 1
outputs = model.signatures["waveform"](waveform=waveform, sample_rate={rate})
outputs["scores"]  # (batch, {classes}), in the order of model.emotions
```

Loading a SavedModel is trusting it: its graph can read and write files when it runs. Load models from people you trust.

| signature | inputs | outputs |
| --- | --- | --- |
| `waveform` | `waveform` (batch, samples) float32, {seconds:g} s or more; `sample_rate` int32, {lowest} to {highest} Hz | {outputs} |
| `serving_default` | `waveform` alone, at {rate} Hz; for TensorFlow Serving and `keras.layers.TFSMLayer` | {outputs} |
| `waveform_with_lengths` | as `waveform`, and `lengths` (batch,) int32, the samples of each row without padding | {outputs} |
| `features` | `features` {features} float32, the front end's output before scaling{padding} | {outputs} |

The model uses audio at {rate} Hz as it is and resamples other rates. A recording made at a lower rate lacks the upper
band of the training audio, so expect lower scores. `model.emotions` and `assets/labels.txt` name the scores.
`model.sample_rate` is the rate of the training audio. Digital silence, and noise, hum or a tone of 1 s or more whose
level stays the same, get equal scores. With sertf installed:
`sertf.load("{name}").predict("clip.wav")`."""

_LITERT = """\
```python
from ai_edge_litert.interpreter import Interpreter

run = Interpreter("{name}/{file}").get_signature_runner()
scores = run({input}={input})["scores"]  # (1, emotions)
```"""

_ONNX = """\
```python
import onnxruntime

session = onnxruntime.InferenceSession("{name}/{file}")
(scores,) = session.run(["scores"], {{"{input}": {input}}})  # (batch, emotions)
```"""

_KNOWN_SPEAKERS = """\
```python
speaker = model.signatures["enroll"](waveform=clips, lengths=lengths, sample_rate={rate})
del speaker["count"]
known = model.signatures["waveform_of_speaker"]
outputs = known(waveform=waveform, sample_rate={rate}, **speaker)
```"""


def render_card(card: Card) -> str:
    """The page of a model card, as Markdown."""
    corpus, run, tested = card["corpus"], card["run"], card["held_out"]
    emotions = ", ".join(card["emotions"])
    known = "speakers unknown" not in card["audit"].get("verdict", "")
    speakers = f"{tested['speakers']} speaker{'s' if tested['speakers'] > 1 else ''}" if known else "unknown speakers"
    trained = f"{corpus['speakers']} speakers" if known else "unknown speakers"
    lines = [
        f"# {card['name']}",
        "",
        f"Recognizes the emotion of a speech recording: {emotions}. It is a `{card['model']['name']}` network of "
        f"{card['model']['parameters']:,} parameters on `{card['front_end']['name']}` features. The TensorFlow SavedModel "
        f"takes audio of any length and needs TensorFlow alone.{_heard(card)} Paper: {card['paper']}.",
        "",
        *_smoke(card),
        "## Use",
        "",
        _use(card),
        "",
        *_known_speakers(card),
        *_litert(card),
        *_onnx(card),
        "## Training data",
        "",
        f"{corpus['title']}: {corpus['utterances']} utterances, {trained}, languages: "
        f"{', '.join(corpus['languages']) or 'not stated'}, used at {card['sample_rate']} Hz. "
        + "".join(f"{emotion.capitalize()} counts as {other}. " for emotion, other in corpus["merged"].items())
        + f"Licence of the recordings: {corpus['licence']}."
        + (f" {corpus['citation']}" if corpus["citation"] else "")
        + (f" <{corpus['url']}>" if corpus["url"] else ""),
        "",
        *_recordings(card),
        *_pretrained(card),
        "## Held-out score",
        "",
        f"This model was tested on {tested['utterances']} utterances of {speakers} (test part of {run['fold']}, "
        f"protocol `{card['protocol']}`): **UAR {tested['uar']:.4f}**, WA {tested['wa']:.4f}; chance is "
        f"{1 / len(card['emotions']):.4f}."
        + (f" It never trained on these speakers: {', '.join(tested['names'])}." if tested.get("names") else ""),
        "",
        "| emotion | recall |",
        "| --- | --- |",
        *(f"| {emotion} | {recall:.3f} |" for emotion, recall in tested["recall"].items()),
        "",
        _over_repeats(card),
        "",
        _audit(card),
        "",
        *_conditions(card),
        *_other_corpora(card),
        "## Intended use and limits",
        "",
        _LIMITS,
        "",
        _confidence(card),
        *_certainty(card),
        "",
        "## Origin",
        "",
        f"Experiment `{card['experiment']}`, variant `{card['variant']}`, protocol `{card['protocol']}`, repeat "
        f"{run['repeat']}, {run['fold']}, seed {run['seed']}, digest {run['digest']}. {run['chosen']} {_precision(run)}Trained with "
        f"{_versions(card['versions']['training'])}. Exported with {_versions(card['versions']['export'])}.",
    ]
    return "\n".join(lines) + "\n"


def _smoke(card: Card) -> list[str]:
    """A warning on the model of a smoke test."""
    if not card.get("smoke"):
        return []
    return [
        "**A smoke test made this model: two epochs on a few clips. It recognizes nothing. Train without `--smoke`.**",
        "",
    ]


def _recordings(card: Card) -> list[str]:
    """Paragraph on the band and the levels of the training clips; cards of older exports do not state them."""
    from sertf.inference.recordings import BAND_SHARE, LEVEL_MARGIN_DB

    found = card.get("recordings")
    if found is None:
        return []
    band, levels = found["band_hz"], found["levels_db"]
    lines = [f"The training clips reach up to {band / 1000:.1f} kHz, measured on {found['clips']} of them."]
    warned = f"less than {BAND_SHARE * band / 1000:.1f} kHz"
    if levels is None:
        lines.append("The model brings speech to one level, so gain changes nothing.")
    else:
        lines.append(f"Their speech has levels from {levels[0]:.0f} to {levels[1]:.0f} dBFS.")
        warned += f", or a level more than {LEVEL_MARGIN_DB:g} dB outside"
    return [" ".join([*lines, f"`predict` warns of recordings with {warned}."]), ""]


def _pretrained(card: Card) -> list[str]:
    """Section on pretrained weights, where there are some; cards of older exports do not state them."""
    weights = card["front_end"].get("pretrained")
    if weights is None:
        return []
    return [
        "## Pretrained weights",
        "",
        f"The front end is {weights['title']}, as published at <{weights['url']}>. Licence: {weights['licence']}. SHA-256 of "
        f"its numbers: `{weights['digest']}`. {weights['citation']}",
        "",
    ]


def _heard(card: Card) -> str:
    """The part of a clip that one call scores, if it is not all of it; cards of older exports lack it."""
    span, middle = (card["front_end"].get(key) for key in ("span_seconds", "middle_seconds"))
    if span is None and middle is None:
        return ""
    heard, seconds = (f"{span[0]:g} to {span[1]:g} s", span[1]) if span else (f"the middle {middle:g} s", middle)
    return (
        f" One call scores {heard} of a clip and ignores the rest. `predict` of sertf scores a longer recording in windows "
        f"of {seconds:g} s."
    )


def _use(card: Card) -> str:
    shape = card["front_end"]["shape"]
    lowest, highest = card["sample_rates"]
    return _USE.format(
        name=card["name"],
        rate=card["sample_rate"],
        classes=len(card["emotions"]),
        seconds=card["minimum_seconds"],
        lowest=lowest,
        highest=highest,
        outputs=", ".join(f"`{name}` {axes}" for name, axes in card["outputs"].items()),
        features=f"(batch, {', '.join('frames' if size is None else str(size) for size in shape)})",
        padding="; frames of zeros are padding" if shape[0] is None else "",
    )


_ON_SELF_TRAINING = (
    "The model also trains itself on these clips: it takes its own answers to them for targets. They need no labels, and "
    "should hold several emotions. Clips of one emotion alone do harm. For several speakers of one corpus `model.enroll_all` "
    "takes all their clips together, which helps more. Its signatures are `clip_features` and `self_train`.",
    "",
)


def _known_speakers(card: Card) -> list[str]:
    """Section on the statistics of speakers, if the model scales by them."""
    known = card.get("known_speakers")
    if known is None:
        return []
    clips = "all" if known["clips"] is None else known["clips"]
    return [
        "## Speakers you know",
        "",
        "The model scales the features of a speaker by statistics of unlabelled clips of theirs. The signature `enroll` "
        "estimates them from clips of one speaker. `waveform_of_speaker` takes them beside the waveform. With sertf "
        'installed: `model.predict("clip.wav", speaker=model.enroll(clips))`, or `sertf predict --speaker FOLDER`.',
        "",
        _KNOWN_SPEAKERS.format(rate=card["sample_rate"]),
        "",
        *(_ON_SELF_TRAINING if known.get("self_training") else ()),
        _own_network(known, clips)
        if "held_out" in known
        else "The other signatures know no speaker. They scale by the mean and spread of the "
        f"{known['trained']} training speakers. Expect lower scores then. The scores below are of speakers known by "
        f"{clips} of their own clips.",
        "",
    ]


def _own_network(known: KnownSpeakers, clips: int | str) -> str:
    calibrated = f" and an ECE of {known['ece']:.4f}" if "ece" in known else ""
    together = ", which trained it together" if known.get("self_training") else ""
    return (
        f"A network of its own scores them, trained on {known['trained']} speakers who were scaled so. On the test clips below "
        f"it has a **UAR of {known['held_out']['uar']:.4f}**{calibrated}, by {clips} of each speaker's own clips{together}. The "
        "scores below are of unknown speakers, whom the other signatures score."
    )


def _litert(card: Card) -> list[str]:
    """Section on the LiteRT model, if there is one."""
    lite = card.get("litert")
    if lite is None:
        return []
    if lite.get("weights") == "shared":
        return [
            "## LiteRT",
            "",
            f"`{lite['file']}` ({lite['bytes'] / 1000:,.0f} kB) lets sertf run the same network on LiteRT, without loading "
            "TensorFlow. It shares the SavedModel's weights, and sertf alone reads it. On clips of noise of "
            f"{', '.join(f'{length:g}' for length in lite['compared_seconds'])} s its scores differ from the SavedModel's by at most "
            f"{lite['difference']:.1e}. `sertf export --litert` writes a file for phones and small boards.",
            "",
        ]
    if lite["input"] == "waveform":
        takes = (
            f"`waveform` (1, samples) float32, mono at exactly {card['sample_rate']} Hz. It holds the front end, but does "
            "not resample"
        )
    else:
        takes = (
            f"`features` (1, {', '.join('frames' if size is None else str(size) for size in card['front_end']['shape'])})"
            f" float32, not scaled. LiteRT lacks what `{card['front_end']['name']}` needs, so **the front end is not in "
            "it**: compute the features first"
        )
    code = _LITERT.format(name=card["name"], file=lite["file"], input=lite["input"])
    seconds = ", ".join(f"{length:g}" for length in lite["compared_seconds"])
    return [
        "## LiteRT",
        "",
        f"`{lite['file']}` ({lite['bytes'] / 1000:,.0f} kB) is the same network for phones and small boards, one clip at "
        f"a time. {_stored(lite)}It takes {takes}. On clips of noise of {seconds} s its scores differ from the SavedModel's by at most "
        f"{lite['difference']:.1e}.",
        "",
        code,
        "",
    ]


def _onnx(card: Card) -> list[str]:
    """Section on the ONNX model, if there is one."""
    found = card.get("onnx")
    if found is None:
        return []
    if found["input"] == "waveform":
        takes = (
            f"`waveform` (batch, samples) float32, mono at exactly {card['sample_rate']} Hz, rows of one length. It holds the "
            "front end, but does not resample"
        )
    else:
        takes = f"`features` float32, not scaled. The front end `{card['front_end']['name']}` does not convert to ONNX"
    seconds = ", ".join(f"{length:g}" for length in found["compared_seconds"])
    return [
        "## ONNX",
        "",
        f"`{found['file']}` ({found['bytes'] / 1000:,.0f} kB) is the same model for ONNX Runtime. It takes {takes}. On clips "
        f"of noise of {seconds} s its scores differ from the SavedModel's by at most {found['difference']:.1e}.",
        "",
        _ONNX.format(name=card["name"], file=found["file"], input=found["input"]),
        "",
    ]


def _stored(lite: dict[str, Any]) -> str:
    """A sentence on weights in fewer bits; cards of older exports do not state them."""
    return {
        "float32": "",
        "float16": "It stores the weights in float16 and computes in float32. ",
        "int8": "It stores most weights of the network in int8, and computes with them in whole numbers. ",
    }[lite.get("weights", "float32")]


def _over_repeats(card: Card) -> str:
    scores = card["over_repeats"]
    if scores is None:
        return "Runs of the experiment were missing at the export, so no mean over repeats is given."
    uar, wa, count = scores["uar"], scores["wa"], scores["repeats"]
    if count == 1:
        return f"All folds of the one repeat, pooled: UAR {uar['mean']:.4f}, WA {wa['mean']:.4f}."
    return (
        f"All folds pooled, mean ± standard deviation over {count} repeats: UAR {uar['mean']:.4f} ± {uar['std']:.4f} "
        f"(best {uar['best']:.4f}), WA {wa['mean']:.4f} ± {wa['std']:.4f}."
    )


def _conditions(card: Card) -> list[str]:
    """Section on the tested clips under recording conditions; only `sertf evaluate --card` writes them."""
    found = card.get("conditions")
    if found is None:
        return []
    return [
        "## Under conditions",
        "",
        f"The {found['utterances']} test utterances of {found['speakers']} speakers, altered before the model hears them. An "
        "answer stays if it is the one to the clip as recorded."
        + (" No speaker is enrolled here." if "known_speakers" in card else ""),
        "",
        *_condition_rows(found),
        *_known_under_conditions(card),
    ]


def _known_under_conditions(card: Card) -> list[str]:
    """The same of enrolled speakers, where they were evaluated too."""
    found = card.get("known_speakers", {}).get("conditions")
    if found is None:
        return []
    return [
        "All speakers enrolled by their clips under the same condition, without labels:",
        "",
        *_condition_rows(found),
    ]


def _condition_rows(found: UnderConditions) -> list[str]:
    return [
        "| condition | UAR | answers that stay | mean confidence |",
        "| --- | ---: | ---: | ---: |",
        *(
            f"| {row['condition']} | {row['uar']:.4f} | {100 * row['same']:.1f} % | {row['confidence']:.2f} |"
            for row in found["rows"]
        ),
        "",
    ]


def _other_corpora(card: Card) -> list[str]:
    """Section on corpora that the model never trained on; only `sertf evaluate --card` writes them."""
    corpora = card.get("other_corpora")
    if not corpora:
        return []
    return [
        "## On other corpora",
        "",
        "The model trained on none of these clips. Emotions that it lacks are left out.",
        "",
        "| corpus | clips | speakers | emotions | UAR, 95 % interval | chance | ECE |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {of['utterances']} | {of['speakers']} | {of['emotions']} | {of['uar']:.4f} [{of['low']:.4f}, "
            f"{of['high']:.4f}] over {of['drawn']} | {1 / of['emotions']:.4f} | {of['ece']:.4f} |"
            for name, of in corpora.items()
        ),
        "",
    ]


def _confidence(card: Card) -> str:
    found = card.get("calibration")
    if found is None:
        return "The confidence is the largest score. It is not calibrated."
    of_each = ", each scored by the model of its own fold" if found.get("by_others") else ""
    fitted_on = f"{found['utterances']} {_fitted_on(card)} utterances of {found['speakers']} speakers"
    calibrated = (
        f"The confidence is the largest score. It is calibrated by a temperature of {found['temperature']:.3f}, fitted on "
        f"{fitted_on}{of_each}. The expected calibration error of "
        f"the test part falls from {found['ece_before']:.3f} to {found['ece']:.3f}. "
        if "ece_left_out" not in found
        else "The confidence is the largest score. The farther a clip lies from those of training, the less confident the model "
        f"is. How much less was fitted on {fitted_on}, each scored twice: by a model that never met the speaker, and by one "
        f"that never met the corpus. The expected calibration error is {found['ece']:.3f} on the test part, and "
        f"{found['ece_left_out']:.3f} by the models that never met the corpus. "
    )
    return calibrated + "Other speech is less well calibrated."


def _fitted_on(card: Card) -> str:
    return "other folds' test" if card["calibration"].get("by_others") else "validation"


def _certainty(card: Card) -> list[str]:
    """Paragraph on uncertain answers, if the card has a threshold."""
    found = card.get("certainty")
    if found is None:
        return []
    clips = {_fitted_on(card): found["validation"], "test": found["test"]}
    if "left_out" in found:
        clips["of a corpus left out of training"] = found["left_out"]
    both = " by models of either kind" if "left_out" in found else ""
    return [
        "",
        f"Under a confidence of {found['threshold']:.3f} the verdict is `uncertain`. The threshold was chosen on the "
        f"{_fitted_on(card)} clips{both}, so that {found['precision']:.2f} of the certain answers are right.",
        "",
        "| clips | stay certain | of these right |",
        "| --- | --- | --- |",
        *(f"| {name} | {share:.2f} | {_share(right)} |" for name, (share, right) in clips.items()),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _audit(card: Card) -> str:
    findings = "; ".join(card["audit"].get("findings", ()))
    return f"Leakage audit: {card['audit'].get('verdict', 'not made')}." + (f" Found: {findings}." if findings else "")


def _precision(run: dict[str, Any]) -> str:
    """A sentence on arithmetic that the export lacks; cards of older exports do not state it."""
    trained = run.get("precision", "float32")
    if trained == "float32":
        return ""
    return f"It was trained and scored in {trained}. The export computes in float32, so its scores differ slightly. "


def _versions(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
