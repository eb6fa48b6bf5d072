"""Download an open corpus: resumable, checked, unpacked safely, validated by the corpus's loader."""

import shutil
import stat
import warnings
import zipfile
from pathlib import Path

from sertf import corpora
from sertf.errors import SertfError, expanded, unknown
from sertf.files import locked, replaced_folder
from sertf.parallel.progress import shown

CHUNK_BYTES = 1 << 16
TIMEOUT_SECONDS = 30


class DownloadError(SertfError):
    """A corpus that cannot be downloaded. The message tells whether the same command resumes."""


def fetch(name: str, folder: Path | str, *, progress: bool = True) -> Path:
    """Download a corpus, unpack it to `<folder>/<name>` and check that it is complete.

    The folder of the corpus appears only when it is complete. An interrupted download stays beside it in a hidden file.
    The next call resumes from there.

    Args:
        name: key of `sertf.corpora.CORPORA`.
        folder: folder for the corpora; made if missing.
        progress: show a progress bar on standard error.

    Returns:
        Folder of the corpus. An existing complete one stays as it is.

    Raises:
        DownloadError: no open archive, no connection, a wrong checksum, a damaged or unsafe archive, no room.
    """
    if name not in corpora.CORPORA:
        raise DownloadError(unknown("corpus", name, corpora.CORPORA))
    corpus = corpora.CORPORA[name]
    if corpus.archive is None:
        raise DownloadError(f"{corpus.title} has no open archive ({corpus.licence}); request it at {corpus.url}")
    folder = expanded(folder)
    out = folder / name
    if out.exists():
        _validate(corpus, out, f"{out} exists, but is not complete; remove it or give another folder")
        return out
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / f".{name}-download.lock", out):
            if out.exists():  # another command has downloaded it meanwhile
                return out
            archive = download_file(
                corpus.archive.url, corpus.archive.checksum, folder / f".{name}-download.zip", progress=progress
            )
            with replaced_folder(out) as unpacked:
                try:
                    unpack(archive, unpacked, progress=progress)
                    _validate(corpus, unpacked, f"{corpus.archive.url} is not the complete corpus")
                except DownloadError:
                    archive.unlink()  # the same bytes would fail again
                    raise
            archive.unlink()
    except OSError as error:
        raise DownloadError(
            f"{folder}: cannot be written ({error.strerror}); make room or give another folder."
        ) from error
    return out


def download_file(url: str, checksum: str | None, place: Path, *, progress: bool = True) -> Path:
    """Download a file to a path and compare its checksum. It resumes an earlier attempt.

    Args:
        url: address.
        checksum: `md5:...` or `sha256:...`, as for pooch; None if none is published.
        place: path of the file, in an existing folder.
        progress: show a progress bar on standard error.

    Returns:
        The place.

    Raises:
        DownloadError: no connection, no room or a wrong checksum.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    resumable = Resumable(place.with_name(f"{place.name}.part"), progress=progress)
    try:
        pooch.retrieve(url, checksum, fname=place.name, path=place.parent, downloader=resumable)
    except requests.RequestException as error:
        if not resumable.part.exists():
            raise DownloadError(f"{url} cannot be fetched ({_reason(error)}); try again later.") from error
        raise DownloadError(
            f"{url}: the download was interrupted ({_reason(error)}); its part is stored, and the same command resumes it."
        ) from error
    except ValueError as error:
        if isinstance(error, SertfError):
            raise
        # pooch has removed the file.
        raise DownloadError(
            f"{url}: the download's checksum differs from the published one ({checksum}); it was removed, fetch it again."
        ) from error
    return place


class Resumable:
    """A downloader for pooch that resumes an interrupted download.

    Args:
        part: file with the part downloaded so far; when complete, it is renamed to what pooch asks for.
        progress: show a progress bar on standard error.
    """

    def __init__(self, part, *, progress=True):
        self.part = part
        self.progress = progress

    def __call__(self, url, output_file, pooch):
        import requests

        done = self.part.stat().st_size if self.part.exists() else 0
        # Bytes as they lie on the server: a transfer with compression cannot be resumed.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            if response.status_code == 416:  # no bytes lie beyond the part: it is complete, or of another file
                if _total(response) != done:
                    self.part.unlink()
                    return self(url, output_file, pooch)
            else:
                response.raise_for_status()
                self._receive(response, done if response.status_code == 206 else 0)
        self.part.replace(output_file)

    def _receive(self, response, done):
        import requests

        total = _total(response)
        if done and not response.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            raise requests.ConnectionError(f"the server sent another part than asked for, after {done} bytes")
        free = shutil.disk_usage(self.part.parent).free
        if total is not None and total - done > free:
            raise DownloadError(
                f"{self.part.parent}: {free / 1e6:.1f} MB are free, the download needs {(total - done) / 1e6:.1f} MB; make "
                "room or give another folder."
            )
        with (
            open(self.part, "ab" if done else "wb") as file,
            shown("Downloading", total, done=done, size=True, show=self.progress) as advance,
        ):
            for chunk in response.iter_content(CHUNK_BYTES):
                file.write(chunk)
                advance(len(chunk))
            size = file.tell()
        if total is not None and size != total:
            raise requests.ConnectionError(f"{size} of {total} bytes arrived")


def unpack(archive: Path, folder: Path, *, progress: bool = True) -> None:
    """Unpack a ZIP file into an empty folder.

    Raises:
        DownloadError: a damaged archive, links or paths out of the folder, or too little room on the disk.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            _check_members(members)
            needed = sum(member.file_size for member in members)
            free = shutil.disk_usage(folder.parent).free
            if needed > free:
                raise OSError(28, f"{needed / 1e6:.1f} MB needed, {free / 1e6:.1f} MB free")
            with shown("Unpacking", needed, size=True, show=progress) as advance:
                for member in members:
                    opened.extract(member, folder)
                    advance(member.file_size)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise DownloadError(f"The archive is damaged ({error}); it was removed, fetch it again.") from error


def _check_members(members):
    """Refuse members that would lie outside the folder. zipfile itself would rename them into it."""
    for member in members:
        name = member.filename.replace("\\", "/")
        if name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/"):
            raise DownloadError(f"The archive holds a path out of its folder ({member.filename}); it was removed.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DownloadError(f"The archive holds a link ({member.filename}); it was removed.")


def _validate(corpus, folder, message):
    """Load the corpus; raise with `message` and the fault if one shows or anything is missing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", corpora.CorpusWarning)
            missing = corpus.load(folder).attrs["missing"]
    except corpora.CorpusError as error:
        raise DownloadError(f"{message}: {error}") from error
    if missing:
        raise DownloadError(f"{message}: {'; '.join(missing[:3])}{'; ...' if len(missing) > 3 else ''}")


def _total(response):
    """Bytes of the whole file as a response states them, or None."""
    whole = response.headers.get("Content-Range", "").rpartition("/")[2]
    if response.status_code in (206, 416):
        return int(whole) if whole.isdigit() else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _reason(error):
    response = getattr(error, "response", None)
    return f"the server answered {response.status_code}" if response is not None else type(error).__name__
