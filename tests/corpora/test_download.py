"""Fetching a corpus from a server of this machine's own."""

import hashlib
import io
import stat
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sertf import corpora
from sertf.corpora import download
from tests.corpora import trees

NAMES = trees.ravdess()


def zipped(names, content=b"sound" * 20):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


WHOLE = zipped(NAMES)


class Server(ThreadingHTTPServer):
    """Serves `data`; breaks the connection off `behind` bytes if that is set, knows no ranges if `ranges` is not."""

    data, behind, ranges, asked = WHOLE, None, True, ()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.asked = [*server.asked, asked]
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if start >= len(server.data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.data)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if asked and server.ranges else 200)
        if asked and server.ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(server.data) - 1}/{len(server.data)}")
        self.send_header("Content-Length", str(len(server.data) - start))
        self.end_headers()
        self.wfile.write(server.data[start : server.behind])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    with Server(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        archive = corpora.Archive(
            url=f"http://127.0.0.1:{running.server_port}/speech.zip",
            megabytes=0.3,
            checksum=f"md5:{hashlib.md5(WHOLE).hexdigest()}",
        )
        monkeypatch.setitem(corpora.CORPORA, "ravdess", replace(corpora.CORPORA["ravdess"], archive=archive))
        yield running
        running.shutdown()


def without_checksum(monkeypatch):
    corpus = corpora.CORPORA["ravdess"]
    monkeypatch.setitem(corpora.CORPORA, "ravdess", replace(corpus, archive=replace(corpus.archive, checksum=None)))


def fetch(folder):
    return download.fetch("ravdess", folder, progress=False)


def test_a_corpus_comes_whole_and_only_once(server, tmp_path):
    folder = fetch(tmp_path / "new" / "corpora")
    assert folder == tmp_path / "new" / "corpora" / "ravdess"
    assert len(corpora.load("ravdess", folder.parent)) == 1440
    assert [path.name for path in folder.parent.iterdir()] == ["ravdess"]
    assert fetch(folder.parent) == folder and len(server.asked) == 1


def test_two_commands_download_once(server, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch, [tmp_path, tmp_path]))
    assert folders == 2 * [tmp_path / "ravdess"] and len(server.asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ravdess"]


def test_a_download_that_was_broken_off_goes_on(server, tmp_path):
    server.behind = 100_000
    with pytest.raises(download.DownloadError, match="interrupted .*the same command resumes"):
        fetch(tmp_path)
    (part,) = tmp_path.iterdir()
    assert part.name.endswith(".part") and part.read_bytes() == WHOLE[: download.CHUNK_BYTES]
    server.behind = None
    fetch(tmp_path)
    assert server.asked == [None, f"bytes={download.CHUNK_BYTES}-"]
    assert [path.name for path in tmp_path.iterdir()] == ["ravdess"]


def test_a_server_without_ranges_is_asked_for_all_of_it_again(server, tmp_path):
    server.behind, server.ranges = 100_000, False
    with pytest.raises(download.DownloadError):
        fetch(tmp_path)
    server.behind = None
    assert len(list(fetch(tmp_path).rglob("*.wav"))) == 1440


@pytest.mark.parametrize("kept", [WHOLE, WHOLE + b"of another file"])
def test_a_part_that_is_complete_or_too_long(server, tmp_path, kept):
    (tmp_path / ".ravdess-download.zip.part").write_bytes(kept)
    assert len(list(fetch(tmp_path).rglob("*.wav"))) == 1440


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    server.data = zipped(NAMES, b"other")
    with pytest.raises(download.DownloadError, match="checksum differs from the published one"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def link():
    info = zipfile.ZipInfo("Actor_01/link.wav")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (zipped([*NAMES, "../outside.wav"]), r"a path out of its folder \(../outside.wav\)"),
        (zipped(["/outside.wav"]), "a path out of its folder"),
        (zipped(["..\\outside.wav"]), "a path out of its folder"),
        (zipped([*NAMES, link()]), "holds a link"),
        (zipped(NAMES[:-60]), "is not the complete corpus: ravdess-24: all 60 utterances are missing"),
        (zipped([*NAMES, "Actor_01/notes.wav"]), "the name fits no ravdess utterance"),
        (WHOLE[:-100], "is damaged"),
        (WHOLE.replace(b"sound" * 20, b"noise" * 20, 1), "is damaged"),
        (b"<html>not here</html>", "is damaged"),
    ],
)
def test_a_bad_archive_leaves_nothing(server, tmp_path, monkeypatch, data, message):
    without_checksum(monkeypatch)
    server.data, folder = data, tmp_path / "corpora"
    with pytest.raises(download.DownloadError, match=message):
        fetch(folder)
    assert list(folder.iterdir()) == [] and list(tmp_path.iterdir()) == [folder]


def test_too_little_room(server, tmp_path, monkeypatch):
    usage = download.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(download.DownloadError, match="0.0 MB are free, the download needs 0.3 MB"):
        fetch(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_server(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(
        download.DownloadError, match=r"speech.zip cannot be fetched \(ConnectionError\); try again later"
    ):
        fetch(tmp_path)


def test_what_lies_there_is_not_overwritten(server, tmp_path):
    (tmp_path / "ravdess").mkdir()
    (tmp_path / "ravdess" / "mine.txt").touch()
    with pytest.raises(download.DownloadError, match="exists, but is not complete"):
        fetch(tmp_path)
    assert server.asked == () and (tmp_path / "ravdess" / "mine.txt").exists()


def test_a_folder_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(download.DownloadError, match="cannot be written"):
        fetch(tmp_path / "file" / "corpora")


def test_corpora_that_have_to_be_asked_for(tmp_path):
    with pytest.raises(download.DownloadError, match="request it at https://sail.usc.edu/iemocap"):
        download.fetch("iemocap", tmp_path)
    with pytest.raises(download.DownloadError, match="did you mean emodb"):
        download.fetch("emdb", tmp_path)
