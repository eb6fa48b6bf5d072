"""The page, in a real browser: the command `sertf app` in a process of its own, driven through headless Chromium."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from sertf.app.page import HOST, OwnOriginOnly, sealed
from sertf.inference.bundled import folder_of
from sertf.inference.card import read_card

CHROMIUM, CHROMEDRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_SECONDS = 120  # on a busy machine; seconds on a quiet one


def test_what_gradio_writes_and_reads_is_sealed(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("GRADIO_TEMP_DIR", "elsewhere")
    monkeypatch.delenv("GRADIO_ANALYTICS_ENABLED", raising=False)
    with sealed() as folder:
        assert folder.parent == tmp_path and tempfile.gettempdir() == os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
        assert "127.0.0.1" in os.environ["no_proxy"].split(",")
        (folder / "upload").touch()
    assert list(tmp_path.iterdir()) == [] and tempfile.gettempdir() == str(tmp_path)
    assert os.environ["GRADIO_TEMP_DIR"] == "elsewhere" and "GRADIO_ANALYTICS_ENABLED" not in os.environ


def test_folders_of_killed_pages_are_removed_and_those_in_use_are_not(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = tmp_path / "sertf-app-0123456789abcdef"
    (killed / "uploads").mkdir(parents=True)
    (killed / "uploads" / "clip.wav").write_text("a voice")
    (tmp_path / "sertf-app-notes").symlink_to(tmp_path.parent)
    with sealed() as first:
        (first / "clip.wav").write_text("a voice")
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with sealed() as second:
            assert not killed.exists() and (first / "clip.wav").exists() and second != first
    assert [path.name for path in tmp_path.iterdir()] == ["sertf-app-notes"]


async def _app(scope, receive, send):
    from starlette.responses import PlainTextResponse

    await PlainTextResponse("served")(scope, receive, send)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://127.0.0.1:7860", 200),
        ("https://127.0.0.1:7860", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:1", 403),
    ],
)
def test_requests_of_other_pages_are_refused(tmp_path, origin, status):
    from starlette.testclient import TestClient

    client = TestClient(OwnOriginOnly(_app, tmp_path), base_url="http://127.0.0.1:7860")
    answer = client.post("/upload", headers={} if origin is None else {"origin": origin}, content=b"clip")
    assert answer.status_code == status
    assert "content-security-policy" in answer.headers or status != 200


def test_uploads_are_refused_once_all_of_them_are_too_large(tmp_path, monkeypatch):
    from starlette.testclient import TestClient

    monkeypatch.setattr("sertf.app.page.ALL_UPLOADS_MEGABYTES", 1)
    client = TestClient(OwnOriginOnly(_app, tmp_path))
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "clip.wav").write_bytes(bytes(900_000))
    assert client.post("/upload", content=bytes(50_000)).status_code == 200
    refused = client.post("/upload", content=bytes(150_000))
    assert refused.status_code == 507 and "All recordings together are too large" in refused.text
    assert client.get("/").status_code == 200


@contextlib.contextmanager
def served(folder, *options):
    """The command at work in a folder: its address and process."""
    (folder / "tmp").mkdir()
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "sertf", "app", "--port", str(port), *options],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first = process.stdout.readline()
        assert f":{port}/" in first, process.communicate()[1]
        yield f"http://127.0.0.1:{port}/", process
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def chromium(profile):
    """A headless browser with an empty profile that logs every request."""
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1200,1400"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    try:
        browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(CHROMEDRIVER))
    except WebDriverException as error:
        pytest.skip(f"chromium does not start here: {error.msg}")
    try:
        browser.get("about:blank")
        requested(browser)  # by the tab that Chromium opens by itself
        yield browser
    finally:
        browser.quit()


def requested(browser):
    """Addresses asked for since the last call."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def until(browser, condition):
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE_SECONDS, poll_frequency=0.1).until(condition)


def element(browser, selector):
    """The first element that a CSS selector finds, once it is there."""
    return until(browser, lambda _: browser.find_elements("css selector", selector))[0]


def answer(browser, path, wanted):
    """Upload a file in place of the last one; the answer, once it holds a text."""
    for clear in browser.find_elements("css selector", "#clip button[aria-label=Clear]"):
        clear.click()
    element(browser, "#clip input[type=file]").send_keys(str(path))
    return until(browser, lambda _: wanted in (text := element(browser, "#answer").text) and text)


def see(browser, width, dark):
    """Show the page of a width, in light or dark mode; what lies where, and how wide it is."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_script("document.body.classList.toggle('dark', arguments[0])", dark)
    return {
        name: browser.execute_script(
            "return document.querySelector(arguments[0]).getBoundingClientRect().toJSON()", selector
        )
        for name, selector in {"answer": "#answer .verdict", "clip": "#clip", "page": "html"}.items()
    }


def test_another_host_is_refused(tmp_path):
    """A name that leads to this machine: rebinding of a name server."""
    pytest.importorskip("gradio")
    with served(tmp_path) as (address, _):
        assert urllib.request.urlopen(address).status == 200
        for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            with pytest.raises(urllib.error.HTTPError, match="400|403"):
                urllib.request.urlopen(urllib.request.Request(address, headers=headers))


def test_a_page_for_other_machines_answers_to_any_name_but_not_to_other_pages(tmp_path):
    pytest.importorskip("gradio")
    with served(tmp_path, "--host", "0.0.0.0") as (address, _):
        for headers, status in (({}, 200), ({"Origin": "https://my.example"}, 200), ({"Origin": "https://evil"}, 403)):
            request = urllib.request.Request(address, headers={"Host": "my.example", **headers})
            try:
                assert urllib.request.urlopen(request).status == status
            except urllib.error.HTTPError as error:
                assert error.code == status


@pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="needs chromium and chromedriver")
def test_in_a_browser(tmp_path, corpus):
    pytest.importorskip("selenium")
    shutil.copytree(folder_of(), tmp_path / "models" / "other")
    (tmp_path / "text.wav").write_text("no audio")
    with served(tmp_path) as (address, process), chromium(tmp_path / "profile") as browser:
        browser.get(address)
        # The reason is libsndfile's or FFmpeg's.
        assert re.fullmatch(
            r"This recording cannot be used. text.wav: not readable as audio \(.+\); fetch it again or convert it to WAV.",
            answer(browser, tmp_path / "text.wav", "cannot be used"),
        )
        assert not browser.find_elements("css selector", "#answer svg")

        clip = Path(corpus["path"].iloc[0])
        card = read_card(folder_of())
        said = answer(browser, clip, "rests on")
        emotion, beside = said.split("\n")[:2]
        uncertain = re.fullmatch(r"maybe (\w+), \d+ %", beside)
        assert (uncertain and emotion == "uncertain") or re.fullmatch(r"\d+ % confident", beside)
        assert (
            all(name in said for name in card["emotions"]) and f"{clip.name}, recognized by Default recognizer" in said
        )
        assert len(browser.find_elements("css selector", "#answer svg")) == 2

        # On a phone the answer comes first and nothing is wider than the page.
        for dark in (False, True):
            wide, phone = see(browser, 1280, dark), see(browser, 390, dark)
            assert wide["clip"]["right"] < wide["answer"]["left"]
            assert phone["answer"]["bottom"] < min(844, phone["clip"]["top"])
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390
        see(browser, 1280, False)

        others = [str(path) for path in corpus[corpus["speaker"] == corpus["speaker"].iloc[0]]["path"]]
        element(browser, "#others input[type=file]").send_keys("\n".join(others))
        until(browser, lambda _: f"is known by {len(others)} other clips" in element(browser, "#answer").text)

        element(browser, "#model input").click()
        until(browser, lambda _: len(browser.find_elements("css selector", "[role=option]")) > 3)
        titles = [
            option.get_attribute("aria-label") for option in browser.find_elements("css selector", "[role=option]")
        ]
        assert not [title for title in titles if "_" in title]
        element(browser, "[role=option][aria-label^=ResLSTM]").click()
        until(browser, lambda _: "recognized by ResLSTM-SA" in element(browser, "#answer").text)
        assert not browser.find_elements("css selector", "#others")  # this model knows no speakers

        check_that_nothing_leaves(browser, address, process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
    assert list((tmp_path / "tmp").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"models", "text.wav", "tmp", "profile"}


def check_that_nothing_leaves(browser, address, process):
    asked = [urlsplit(url) for url in requested(browser)]
    assert len(asked) > 20
    assert {(url.scheme, url.hostname) for url in asked} <= {("http", "127.0.0.1"), ("data", None), ("blob", None)}
    for connection in psutil.Process(process.pid).net_connections("inet"):
        assert {end.ip for end in (connection.laddr, connection.raddr) if end} == {"127.0.0.1"}
    # A test network's address (RFC 5737), which is not even asked.
    refused = browser.execute_async_script(
        "document.addEventListener('securitypolicyviolation', event => arguments[0](event.blockedURI));"
        "new Image().src = 'http://192.0.2.1/picture.png';"
    )
    assert refused == "http://192.0.2.1/picture.png"
    html = urllib.request.urlopen(address).read().decode()
    loaded = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"'](?:https?:)?//([^/\"']+)", html)
    assert set(loaded) <= {urlsplit(address).netloc}
