"""What a sound file's container states, where libsndfile does not look: missing ends, MP3 frames, joined Ogg streams.

libsndfile reads a WAV, AU, W64 or Ogg that was cut off as if it were whole. It estimates the length of an MP3 without a
Xing header and stops there, and it reads the first of several Ogg streams only. Here the bytes themselves are counted.
"""

import mmap
import zlib
from pathlib import Path
from typing import NamedTuple

# Some writers count the header (44 bytes, a few more with other chunks) as samples.
HEADER_SLACK = 128
# A 32-bit length of a stream whose end is not known yet is near these; one never closed states 0.
UNKNOWN_LENGTH = 0x7FFFF000
# Samples that encoders put before and behind an MP3's own, which decoders may leave out: at most four frames.
MPEG_SLACK = 4 * 1152


class Contents(NamedTuple):
    """What the bytes of a file show.

    Attributes:
        missing: why the file counts as cut off; "" if nothing is missing.
        damaged: what does not match a checksum; "" if all does.
        samples: samples a channel that an MP3's frames hold, the encoder's delay and padding too; None of other formats.
        joined: whether several Ogg streams follow each other.
    """

    missing: str = ""
    damaged: str = ""
    samples: int | None = None
    joined: bool = False


def examine(path: Path | str) -> Contents:
    """Walk through a file's chunks, pages or frames; a format that is not known here counts as whole.

    Args:
        path: a file of one byte or more.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        magic = data[:4]
        if magic in _CHUNKS:
            return Contents(_lacking(_lacking_of_chunks(data, *_CHUNKS[magic])))
        if magic in _AU_ORDERS:
            return Contents(_lacking(_lacking_of_au(data, _AU_ORDERS[magic])))
        if magic == b"OggS":
            return _ogg(data)
        return _mpeg(data)


def _lacking(count):
    return f"its header states {count} bytes more than the file has" if count > HEADER_SLACK else ""


# Magic of containers of chunks: where the first one stands, the bytes of a name and of a length, the byte order, whether
# a length counts name and length too, and the multiple that a chunk is filled up to. RF64 is RIFF with 64-bit lengths in
# its chunk ds64; W64 (Sony Wave64) names chunks by GUIDs.
_CHUNKS = {
    b"RIFF": (12, 4, 4, "little", False, 2),
    b"RIFX": (12, 4, 4, "big", False, 2),
    b"FORM": (12, 4, 4, "big", False, 2),
    b"RF64": (12, 4, 4, "little", False, 2),
    b"BW64": (12, 4, 4, "little", False, 2),
    b"riff": (40, 16, 8, "little", True, 8),
    b"caff": (8, 4, 8, "big", False, 1),
}
_SAMPLE_CHUNKS = (b"data", b"SSND")
_DS64_DATA = slice(28, 36)  # the data chunk's length in the chunk ds64, which comes first


def _lacking_of_chunks(data, first, name_bytes, length_bytes, order, inclusive, multiple):
    """Bytes by which the chunk of the samples is shorter than it states."""
    header, at = name_bytes + length_bytes, first
    while at + header <= len(data):
        name = data[at : at + 4]
        length = int.from_bytes(data[at + name_bytes : at + header], order)
        if name in _SAMPLE_CHUNKS:
            known = length < (UNKNOWN_LENGTH if length_bytes == 4 else 2**62)
            if data[:4] in (b"RF64", b"BW64"):
                length, known = int.from_bytes(data[_DS64_DATA], order), True
            return max(0, length - (header if inclusive else 0) - (len(data) - at - header)) if known else 0
        size = length if inclusive else header + length
        at += max(header, size + -size % multiple)
    return 0


_AU_ORDERS = {b".snd": "big", b"dns.": "little"}


def _lacking_of_au(data, order):
    start, length = int.from_bytes(data[4:8], order), int.from_bytes(data[8:12], order)
    return max(0, length - (len(data) - start)) if length < UNKNOWN_LENGTH else 0


def _ogg(data):
    """Walk through pages (RFC 3533): the last one of a whole file ends its stream."""
    at, flags, starts, sounding = 0, 0, 0, False
    while data[at : at + 4] == b"OggS":
        head = at + 27 + (data[at + 26] if at + 26 < len(data) else len(data))
        end = head + sum(data[at + 27 : head])
        if end > len(data):
            return Contents("its last page is incomplete")
        page = data[at:end]
        if _ogg_checksum(page) != int.from_bytes(page[22:26], "little"):
            return Contents(damaged=f"the page at byte {at} does not match its checksum")
        flags = data[at + 5]
        first = bool(flags & 2)
        starts += first and (sounding or not starts)  # streams that start together are one part
        sounding, at = not first, end
    return Contents("" if flags & 4 else "no page ends its stream", joined=starts > 1)


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_checksum(page):
    """The checksum of an Ogg page: a CRC-32 of zlib's polynomial that takes the highest bit first and starts at 0."""
    mirrored = (page[:22] + bytes(4) + page[26:]).translate(_MIRRORED)
    crc = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


# kbit/s by the index in a frame's header: MPEG 1 layers I, II, III, then MPEG 2 and 2.5 layer I, layers II and III.
_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by the version's bits


def _frame(data, at):
    """(kind, bytes, samples) of the MPEG audio frame that starts here; None if none does (ISO 11172-3, 2.4.1)."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer, index, rate = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or not 0 < index < 15 or rate == 3:
        return None
    generation = 1 if version == 3 else 2
    hertz = _RATES[version][rate]
    bits = 1000 * _BITRATES[generation, layer][index - 1]
    padding = head[2] >> 1 & 1
    if layer == 1:
        return (version, layer, rate), (12 * bits // hertz + padding) * 4, 384
    samples = 576 if generation == 2 and layer == 3 else 1152
    return (version, layer, rate), samples // 8 * bits // hertz + padding, samples


def _mpeg(data):
    """Walk through the frames of an MPEG audio file; tags and what else stands between them do not count."""
    at = 0
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size + (10 if data[at + 5] & 0x10 else 0)
    frame = _frame(data, at)
    if not frame:
        return Contents()
    kind, stated = frame[0], _stated_frames(data[at : at + frame[1]])
    following = _frame(data, at + frame[1])
    if stated is None and (not following or following[0] != kind):
        return Contents()
    if stated is not None:
        at += frame[1]
    frames, per_frame = 0, frame[2]
    while at < len(data):
        frame = _frame(data, at)
        if frame is None or frame[0] != kind:
            at = _resynchronised(data, at + 1, kind)
        elif at + frame[1] > len(data):
            return Contents("its last frame is incomplete", samples=frames * per_frame)
        else:
            frames, at = frames + 1, at + frame[1]
    missing = f"its header states {stated} frames, {frames} are there" if stated and frames + 1 < stated else ""
    return Contents(missing, samples=frames * per_frame)


def _stated_frames(frame):
    """The number of frames in a Xing or Info header, 0 if it does not say, None if the frame is none."""
    at = max(frame.find(b"Xing", 4, 48), frame.find(b"Info", 4, 48))
    if at < 0:
        return None
    return int.from_bytes(frame[at + 8 : at + 12], "big") if frame[at + 7] & 1 else 0


def _resynchronised(data, at, kind):
    """Where two frames of a kind follow each other again, or the file's end."""
    while 0 <= (at := data.find(b"\xff", at)):
        frame = _frame(data, at)
        if frame and frame[0] == kind:
            following = _frame(data, at + frame[1])
            if following and following[0] == kind:
                return at
        at += 1
    return len(data)
