"""The page of `sertf app`: the layout of its Gradio components. `sertf.app.session` does the work, `sertf.app.drawing`
draws the answer.

Functions import Gradio inside, after `sealed` has told it to keep everything on this machine.
"""

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf.app import drawing
from sertf.app.session import Fault, Listener
from sertf.errors import SertfError
from sertf.files import Busy, locked

if TYPE_CHECKING:
    import gradio

HOST = "127.0.0.1"
UPLOAD_MEGABYTES = 100
ALL_UPLOADS_MEGABYTES = 500
"""All uploads that are kept at a time; further ones are refused."""
KEPT_SECONDS = 3600
"""An upload is removed after so many seconds, and all uploads when the command ends."""
TITLE = "Speech emotion recognition"
_PREFIX = "sertf-app-"
_SWEEP_SECONDS = 300
_LAST_SECONDS = 10  # for requests still running when the command ends
_ABOUT = f"""\
# {TITLE}

Record a sentence or upload a file of up to {UPLOAD_MEGABYTES} MB. {{where}} Copies of recordings are removed after
{KEPT_SECONDS // 60} minutes, or when the command ends. A model is a program: choose those of people you trust."""
_OTHERS = "Other recordings of the speaker, without labels: 20 or more make the answer better"
_HERE, _SERVED = "Nothing leaves this machine.", "Recordings go to the server of this page, and no further."
# Gradio's themes load their fonts from elsewhere; these are on every machine.
_FONTS: dict[str, Any] = {"font": ["Arial", "Helvetica", "sans-serif"], "font_mono": ["Consolas", "monospace"]}
# Gradio's code needs the unsafe sources. What matters: the page asks no other address, not even for a picture in
# somebody's model card.
_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"


_REFUSED = {
    403: b"This page takes requests from itself alone.",
    507: b"All recordings together are too large. Wait until the older ones are removed, or start the command again.",
}


class OwnOriginOnly:
    """ASGI middleware for a page of this machine alone.

    The browser loads nothing from elsewhere. Requests that another page sent are refused, and uploads once all of them
    together exceed `ALL_UPLOADS_MEGABYTES`.

    Args:
        app: the ASGI application.
        uploads: the folder in which uploads lie.
    """

    def __init__(self, app, uploads: Path):
        self.app, self._uploads = app, uploads

    async def __call__(self, scope, receive, send):
        async def send_with_policy(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY)]
            await send(message)

        if scope["type"] in ("http", "websocket") and not _is_own(scope):
            await _refuse(403, scope, receive, send)
        elif scope["type"] == "http" and scope["method"] == "POST" and self._left(scope) < 0:
            await _refuse(507, scope, receive, send)
        else:
            await self.app(scope, receive, send_with_policy)

    def _left(self, scope):
        """Bytes that are left for uploads behind this request."""
        sizes = 0
        for path in self._uploads.rglob("*"):
            with contextlib.suppress(OSError):  # removed meanwhile
                sizes += path.stat().st_size
        stated = dict(scope["headers"]).get(b"content-length", b"")
        # Without a stated length a request counts as the largest that is allowed.
        return ALL_UPLOADS_MEGABYTES * 10**6 - sizes - (int(stated) if stated.isdigit() else UPLOAD_MEGABYTES * 10**6)


def _is_own(scope):
    """Whether a request states no origin, or that of the page itself."""
    headers = dict(scope["headers"])
    origin, host = headers.get(b"origin"), headers.get(b"host")
    # https is spoken by a server in front of the page.
    return origin is None or (host is not None and origin in (b"http://" + host, b"https://" + host))


async def _refuse(status, scope, receive, send):
    from starlette.responses import PlainTextResponse

    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(_REFUSED[status], status_code=status)(scope, receive, send)


@contextlib.contextmanager
def sealed() -> Iterator[Path]:
    """A temporary folder for all that Gradio writes, removed at the end. Gradio's telemetry is off.

    Enter it before Gradio is imported: Gradio reads its settings then. Folders that killed processes left are removed.
    """
    _remove_leftovers()
    folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{secrets.token_hex(8)}"
    with locked(_lock_of(folder), folder, wait=False), _own_folder(folder):
        # Gradio asks its own server whether it is up. That request must not go to a proxy.
        direct = ",".join(filter(None, [os.environ.get("no_proxy") or os.environ.get("NO_PROXY"), HOST]))
        settings = {
            "GRADIO_TEMP_DIR": str(folder),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "GRADIO_RUN_HISTORY": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "no_proxy": direct,
            "NO_PROXY": direct,
        }
        before = {name: os.environ.get(name) for name in settings}, tempfile.tempdir
        os.environ.update(settings)
        tempfile.tempdir = str(folder)  # an upload lies here while it arrives
        try:
            yield folder
        finally:
            tempfile.tempdir = before[1]
            for name, value in before[0].items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def _own_folder(folder):
    folder.mkdir(mode=0o700)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lock_of(folder):
    """The file that a page's process locks, so that others see that it lives."""
    return folder.with_name(f"{folder.name}.lock")


def _remove_leftovers():
    """Remove this user's folders of pages whose processes were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, Busy):  # another user's, removed meanwhile, or in use
            if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != _user():
                continue
            with locked(_lock_of(folder), folder, wait=False):
                shutil.rmtree(folder)


def _user():
    return os.getuid() if hasattr(os, "getuid") else 0  # Windows has a temporary folder for each user


def build(listener: Listener, *, host: str = HOST) -> "gradio.Blocks":
    """Build the page. The first model loads in the background.

    Args:
        listener: `sertf.app.session.Listener`.
        host: address it will be served on; the page says whether recordings leave the user's machine.

    Returns:
        `gradio.Blocks`.
    """
    import gradio

    titles = listener.titles()
    first = next(iter(titles.values()))
    listener.warm_up(first)
    with gradio.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(_SWEEP_SECONDS, KEPT_SECONDS)) as page:
        gradio.Markdown(_ABOUT.format(where=_HERE if host == HOST else _SERVED))
        with gradio.Row(elem_id="columns"):
            with gradio.Column():
                clip = gradio.Audio(type="filepath", label="Recording", elem_id="clip", buttons=[], editable=False)
                others = gradio.File(
                    file_count="multiple",
                    label=_OTHERS,
                    elem_id="others",
                    height=120,
                    visible=listener.knows_speakers(first),
                )
                model = gradio.Dropdown(list(titles.items()), value=first, label="Model", elem_id="model")
                threshold = gradio.Slider(
                    0, 1, listener.threshold(first), step=0.01, label="Uncertain under a confidence of", elem_id="least"
                )
            with gradio.Column(elem_id="right"):
                (nothing,) = listener.hear(None, first)
                shown = gradio.HTML(_html(nothing), elem_id="answer")
        with gradio.Accordion("Model card", open=False):
            card = gradio.Markdown(listener.card(first), elem_id="card")

        def press(path, name, least, known_by):
            for heard in listener.hear(path, name, least, known_by or ()):
                yield _html(heard)

        def choose(name):
            # Recordings of the speaker stay with the model that they were given for.
            known_by = gradio.File(value=None, visible=listener.knows_speakers(name))
            return listener.card(name), gradio.Slider(value=listener.threshold(name)), known_by

        def know(name, known_by):
            return gradio.Slider(value=listener.threshold(name, enrolled=bool(known_by)))

        given = [clip, model, threshold, others]
        options = {"api_visibility": "private", "show_progress": "minimal", "trigger_mode": "always_last"}
        gradio.on([clip.change, threshold.release], press, given, shown, **options)
        of_speaker = [others.upload, others.delete, others.clear]
        gradio.on(of_speaker, know, [model, others], threshold, api_visibility="private").then(
            press, given, shown, **options
        )
        model.change(choose, model, [card, threshold, others], api_visibility="private").then(
            press, given, shown, **options
        )
    return page


def _html(heard):
    return drawing.sentence(heard.sentence) if isinstance(heard, Fault) else drawing.answer(heard)


def _names(host):
    """Names that the page answers to: those of this machine, or any where other machines are let in."""
    return [HOST, "localhost"] if host == HOST else ["*"]


def serve(page: "gradio.Blocks", *, host: str = HOST, port: int | None = None, browser: bool = False) -> None:
    """Serve the page until the process is interrupted or terminated.

    Args:
        page: the page from `build`.
        host: address to listen on; others than the default let other machines in.
        port: None uses the first free one from 7860 on.
        browser: open the page in the user's browser.

    Raises:
        SertfError: the port is taken, or all of them are.
    """
    import gradio
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    try:
        page.launch(
            server_name=host,
            server_port=port,
            inbrowser=browser,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            max_file_size=f"{UPLOAD_MEGABYTES}mb",
            theme=gradio.themes.Default(**_FONTS),
            css=drawing.CSS,
            app_kwargs={
                "middleware": [
                    Middleware(TrustedHostMiddleware, allowed_hosts=_names(host), www_redirect=False),
                    Middleware(OwnOriginOnly, uploads=Path(tempfile.gettempdir())),
                ]
            },
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
        print(
            f"{TITLE} at {page.local_url}, {'for this machine alone' if host == HOST else f'for all who reach {host}'}. Ctrl-C ends it.",
            flush=True,
        )
        threading.Event().wait()
    except KeyboardInterrupt:
        pass  # Ctrl-C is the way to end it
    finally:
        page.close(verbose=False)
        # Gradio waits for 5 s. A request still at work then prints stack traces, since its files are gone.
        page.server.thread.join(_LAST_SECONDS)
