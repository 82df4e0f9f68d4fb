"""The synthetic voices of the recipe `keyword`, by a program that stands in for espeak-ng."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest

from tinyedge.errors import ToolError

PROGRAM = """\
#!{python}
import sys
if "fails" in sys.argv:
    sys.exit("no such voice")
open(sys.argv[sys.argv.index("-w") + 1], "wb").write(open({sound!r}, "rb").read())
"""


@pytest.fixture
def voices(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.syspath_prepend(root / "models" / "keyword")
    sound = tmp_path / "sound.wav"
    with wave.open(str(sound), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(22_050)
        file.writeframes(b"\x00\x40" * 100)
    program = tmp_path / "espeak-ng"
    program.write_text(PROGRAM.format(python=sys.executable, sound=str(sound)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    import voices

    monkeypatch.setattr(voices, "_MANNERS", voices._MANNERS[:2])
    return voices


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script of POSIX")
def test_each_voice_speaks_each_word_in_each_manner(voices: object) -> None:
    said = list(voices.speak(["yes", "no"]))  # type: ignore[attr-defined]
    assert len(said) == 6 * 2 * 2
    assert {(rate, number) for _, rate, number, _ in said} == {(22_050, 0), (22_050, 1)}
    assert len({speaker for *_, speaker in said}) == 6
    assert all(len(samples) == 100 and samples.max() == 0.5 for samples, *_ in said)
    with pytest.raises(ToolError, match="no such voice"):
        list(voices.speak(["fails"]))  # type: ignore[attr-defined]
