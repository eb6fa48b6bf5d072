"""The page of `sertf app`: the layout of its Gradio components. `sertf.app.session` does the work of the button.

Functions import Gradio inside, after `sealed` has told it to keep everything on this machine.
"""

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from sertf.app.session import Listener
from sertf.corpora import embedded
from sertf.errors import SertfError

if TYPE_CHECKING:
    import gradio

HOST = "127.0.0.1"
UPLOAD_MEGABYTES = 100
KEPT_SECONDS = 3600
"""An upload is removed after so many seconds, and all uploads when the command ends."""
TITLE = "Speech emotion recognition"
_SWEEP_SECONDS = 300
_LAST_SECONDS = 10  # for requests still running when the command ends
_ABOUT = f"""\
# {TITLE}

Upload a recording, record one or pick an example, and press the button. Nothing leaves this machine: the page is served
by it and for it alone. A recording may have up to {UPLOAD_MEGABYTES} MB. Its copy is removed after
{KEPT_SECONDS // 60} minutes, or when the command ends."""
_SYNTHETIC = "Synthetic examples, not speech: they show the page, not how well a model recognizes people"
# Label, and the emotions of successive clips by a speaker of the embedded corpus.
_EXAMPLES = {
    "angry": ["anger"],
    "sad": ["sadness"],
    "sad, then angry, half a minute": ["sadness"] * 12 + ["anger"] * 14,
}
# Gradio's themes load their fonts from elsewhere; these are on every machine.
_FONTS: dict[str, Any] = {"font": ["Arial", "Helvetica", "sans-serif"], "font_mono": ["Consolas", "monospace"]}
# Gradio's code needs the unsafe sources. What matters: the page asks no other address, not even for a picture in
# somebody's model card.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


class OwnOriginOnly:
    """ASGI middleware that makes the browser load nothing from elsewhere."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY)]
            await send(message)

        await self.app(scope, receive, send_with_policy)


@contextlib.contextmanager
def sealed() -> Iterator[Path]:
    """A temporary folder for all that Gradio writes, removed at the end. Gradio's telemetry is off.

    Enter it before Gradio is imported: Gradio reads its settings then.
    """
    with tempfile.TemporaryDirectory(prefix="sertf-app-") as folder:
        # Gradio asks its own server whether it is up. That request must not go to a proxy.
        direct = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), HOST]))
        settings = {
            "GRADIO_TEMP_DIR": folder,
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_RUN_HISTORY": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "no_proxy": direct,
            "NO_PROXY": direct,
        }
        before = {name: os.environ.get(name) for name in settings}, tempfile.tempdir
        os.environ.update(settings)
        tempfile.tempdir = folder  # an upload lies here while it arrives
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before[1]
            for name, value in before[0].items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def write_examples(folder: Path) -> dict[str, str]:
    """Write the synthetic examples; returns their paths by label."""
    folder.mkdir()
    paths = {}
    for i, (label, emotions) in enumerate(_EXAMPLES.items()):
        clips = [embedded.clip(0, emotion, number + 1) for number, emotion in enumerate(emotions)]
        paths[label] = str(folder / f"synthetic_{i + 1}.wav")
        soundfile.write(paths[label], np.concatenate(clips), embedded.SAMPLE_RATE)
    return paths


def build(listener: Listener, examples: Mapping[str, str]) -> "gradio.Blocks":
    """Build the page.

    Args:
        listener: `sertf.app.session.Listener`.
        examples: dict of label to path, from `write_examples`.

    Returns:
        `gradio.Blocks`.
    """
    import gradio

    names = list(listener.folders)
    with gradio.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, KEPT_SECONDS)) as page:
        gradio.Markdown(_ABOUT)
        with gradio.Row():
            with gradio.Column():
                clip = gradio.Audio(type="filepath", label="Recording", elem_id="clip", buttons=[], editable=False)
                gradio.Examples(
                    [[path] for path in examples.values()],
                    clip,
                    label=_SYNTHETIC,
                    example_labels=list(examples),
                    cache_examples=False,
                    api_visibility="private",
                )
                model = gradio.Dropdown(names, value=names[0], label="Model", elem_id="model")
                threshold = gradio.Slider(0, 1, 0, step=0.05, label="Uncertain under a confidence of")
                button = gradio.Button("Recognize the emotion", variant="primary", elem_id="recognize")
            with gradio.Column():
                text = gradio.Markdown(listener.hear(None, names[0]).text, elem_id="answer")
                scores = gradio.Label(visible=False, show_heading=False, label="Scores", elem_id="scores")
        figure = gradio.Plot(visible=False, show_label=False, elem_id="figure")
        with gradio.Accordion("Model card", open=False):
            card = gradio.Markdown(listener.card(names[0]), elem_id="card")

        def press(path, name, least):
            heard = listener.hear(path, name, least)
            shown = heard.scores is not None
            return (
                heard.text,
                gradio.Label(heard.scores, visible=shown),
                gradio.Plot(heard.figure, visible=shown),
            )

        button.click(press, [clip, model, threshold], [text, scores, figure], api_visibility="private")
        model.change(listener.card, model, card, api_visibility="private")
    return page


def serve(page: "gradio.Blocks", *, port: int | None = None, browser: bool = False) -> None:
    """Serve the page on this machine until the process is interrupted or terminated.

    Args:
        page: the page from `build`.
        port: None uses the first free one from 7860 on.
        browser: open the page in the user's browser.

    Raises:
        SertfError: the port is taken, or all of them are.
    """
    import gradio
    from starlette.middleware import Middleware

    try:
        page.launch(
            server_name=HOST,
            server_port=port,
            inbrowser=browser,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=f"{UPLOAD_MEGABYTES}mb",
            theme=gradio.themes.Default(**_FONTS),
            app_kwargs={"middleware": [Middleware(OwnOriginOnly)]},
            root_path="",
            footer_links=[],
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
        )
    except OSError as error:
        place = "No port from 7860 on is" if port is None else f"Port {port} is not"
        raise SertfError(f"{place} free; give another with --port.") from error
    try:
        # A background job of a shell ignores SIGINT, and SIGTERM would leave the temporary folder behind.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            signal.signal(getattr(signal, name, signal.SIGTERM), signal.default_int_handler)
        print(f"{TITLE} at {page.local_url}, for this machine alone. Ctrl-C ends it.", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        pass  # Ctrl-C is the way to end it
    finally:
        page.close(verbose=False)
        # Gradio waits for 5 s. A request still at work then prints stack traces, since its files are gone.
        page.server.thread.join(_LAST_SECONDS)
