import pytest

from sertf.parallel.progress import shown, time


@pytest.fixture()
def clock(monkeypatch):
    """The seconds that `progress` reads, one entry."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def work(clock, counts, total=20, **options):
    """40 s for each count."""
    with shown("training", total, **options) as advance:
        for count in counts:
            clock[0] += 40
            advance(count)


def test_a_file_gets_a_line_a_minute(clock, capsys):
    work(clock, [1, 1, 3, 5], done=10)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "training 12/20, 0:01:20 passed, some 0:05:20 left",  # what was done before says nothing of the time
        "training 20/20, 0:02:40 passed",
    ]


def test_a_file_gets_a_line_at_the_end_of_short_work(clock, capsys):
    work(clock, [20])
    assert capsys.readouterr().err == "training 20/20, 0:00:40 passed\n"


def test_no_line_says_that_broken_work_has_ended(clock, capsys):
    with pytest.raises(TypeError):
        work(clock, [1, None])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("total", "counted"), [(7_500_000, "2.5/7.5 MB"), (None, "2.5 MB")])
def test_bytes(clock, capsys, total, counted):
    work(clock, [2_500_000], total=total, size=True)
    assert capsys.readouterr().err.startswith(f"training {counted}, 0:00:40 passed")


def test_a_terminal_gets_a_bar(clock, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    work(clock, [2], done=10)
    assert "12/20" in capsys.readouterr().err


def test_nothing_is_shown_unless_wanted(clock, capsys, monkeypatch):
    for colour in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", colour)
        work(clock, [20, 20], show=False)
    assert capsys.readouterr() == ("", "")
