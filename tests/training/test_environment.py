import pytest

from sertf.training import environment as module


@pytest.mark.parametrize(
    ("told", "device"),
    [
        (
            "processor\t: 0\nmodel name\t: AMD EPYC 7763 64-Core Processor \nprocessor\t: 1\n",
            "AMD EPYC 7763 64-Core Processor",
        ),
        ("processor\t: 0\nBogoMIPS\t: 50.00\n", "arm"),
        (None, "arm"),
    ],
    ids=("Linux", "Linux on ARM", "elsewhere"),
)
def test_the_manifest_names_the_processor(told, device, monkeypatch, tmp_path):
    cpuinfo = tmp_path / "cpuinfo"
    if told is not None:
        cpuinfo.write_text(told)
    monkeypatch.setattr(module, "Path", {"/proc/cpuinfo": cpuinfo}.get)
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    monkeypatch.setattr(module.platform, "machine", lambda: "arm")
    monkeypatch.setattr("tensorflow.config.list_physical_devices", lambda _: [])
    assert module.environment()["device"] == f"CPU ({device})"
