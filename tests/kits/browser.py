"""Pages looked at in headless Chromium, at a width of one's choice: what is too wide, cut or too small to read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = next((found for name in NAMES if (found := shutil.which(name))), "")
needs_chromium = pytest.mark.skipif(not PROGRAM, reason="no Chromium: apt install chromium")

# A page of ours runs no script, so one around it measures: it lies in an inline frame as wide as the window would be.
_FRAME = '<iframe class="page" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>'
_AROUND = """<!DOCTYPE html><html><body style="margin:0"><pre id="found"></pre>
FRAMES
<script>
function measured(frame) {
  const page = frame.contentDocument, view = frame.contentWindow, width = view.innerWidth;
  const name = node =>
    (node.closest("[title]")?.getAttribute("title") || node.textContent.trim() || node.tagName).slice(0, 80);
  const seen = [...page.body.querySelectorAll("*")].filter(node => node.getClientRects().length);
  const scrolled = node => node.parentElement.closest(".matrix, .sheet");
  const says = node => [...node.childNodes].some(each => each.nodeType == 3 && each.textContent.trim());
  const size = node => {
    const drawn = node.ownerSVGElement;
    const scale = drawn ? drawn.getBoundingClientRect().width / drawn.viewBox.baseVal.width : 1;
    return parseFloat(view.getComputedStyle(node).fontSize) * scale;
  };
  const leaves = node => {
    const box = node.getBoundingClientRect(), all = node.ownerSVGElement.getBoundingClientRect();
    return box.left < all.left - 1 || box.right > all.right + 1 || box.bottom > all.bottom + 1;
  };
  const isCut = node => view.getComputedStyle(node).overflow == "hidden" && node instanceof view.HTMLElement &&
    (node.scrollWidth > node.clientWidth + 1 || node.scrollHeight > node.clientHeight + 1);
  const parsed = color => {
    const [r, g, b, alpha = 1] = (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
    const whole = color.startsWith("color(") ? 255 : 1;
    return {rgb: [r * whole, g * whole, b * whole], alpha};
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (color, below) => color.rgb.map((v, at) => color.alpha * v + (1 - color.alpha) * below[at]);
  const behind = node => {
    if (!node) return [255, 255, 255];
    const own = parsed(view.getComputedStyle(node).backgroundColor);
    return own.alpha === 1 ? own.rgb : over(own, behind(node.parentElement));
  };
  const contrast = node => {
    const ground = behind(node), text = over(parsed(view.getComputedStyle(node).color), ground);
    const both = [light(text), light(ground)].sort((a, b) => b - a);
    return (both[0] + 0.05) / (both[1] + 0.05);
  };
  return {
    dark: light(behind(page.body)) < 0.2,
    faint: seen.filter(says).filter(node => !node.ownerSVGElement && contrast(node) < 3).map(name),
    width: page.documentElement.scrollWidth,
    wide: seen.filter(node => !scrolled(node) && node.getBoundingClientRect().right > width + 1).map(name),
    cut: seen.filter(isCut).map(name),
    small: seen.filter(says).filter(node => size(node) < 10.5).map(name),
    outside: seen.filter(node => node.matches("svg text")).filter(leaves).map(name),
    labels: seen.filter(node => node.matches(".box span, svg text, .bars div")).length,
  };
}
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe.page")].map(measured);
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script></body></html>
"""


@dataclass(frozen=True)
class Seen:
    """What a window shows.

    width     of the whole page, in pixels
    wide      what stands out of the window
    cut       what does not fit its own box
    small     text of less than 10.5 pixels
    outside   labels that stand out of their picture
    labels    how many labels of pictures there are
    dark      whether what lies behind all is
    faint     text beside pictures that stands out from its ground by less than 3 : 1
    console   what the console of the browser said
    """

    width: int
    wide: list[str]
    cut: list[str]
    small: list[str]
    outside: list[str]
    labels: int
    dark: bool
    faint: list[str]
    console: list[str]


def look(pages: Sequence[tuple[str, int]], folder: Path, *, dark: bool = False) -> list[Seen]:
    """How each page looks in a window of so many pixels; what the console says is said of all.

    dark  to people who want dark pages
    """
    frames = "\n".join(_FRAME.format(width=width, page=escape(page)) for page, width in pages)
    around = folder / "around.html"
    around.write_text(_AROUND.replace("FRAMES", frames), encoding="utf-8")
    words = ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--window-size=1600,1000")
    words = (*words, f"--blink-settings=preferredColorScheme={0 if dark else 1}")
    done = subprocess.run(
        [PROGRAM, *words, f"--user-data-dir={folder / 'profile'}", "--dump-dom", around.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    match = re.search(r'<pre id="found">(.+?)</pre>', done.stdout, re.DOTALL)
    assert match, done.stderr
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return [Seen(**found, console=console) for found in json.loads(unescape(match[1]))]
