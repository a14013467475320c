"""Draw the README's pictures anew: `python docs/images/draw.py` (needs adcli[graph,figures] and Chromium).

graph.svg turns dark by itself where the reader's system is dark; the PNG files are for places that show no SVG.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from adcli.report.explain_graph import write_graph
from adcli.report.explain_page import write_page
from adcli_methods.explaining import explain
from adcli_methods.formula import formula_function

HERE = Path(__file__).parent
POINT = {"x1": 2.0, "x2": 5.0}
STEP = 13
"""The step of the reverse sweep in which the adjoint of x2 collects two contributions."""


def photograph(address: str, picture: Path, width: int, height: int, *, is_dark: bool) -> None:
    """A picture of a page or an SVG as Chromium shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit("no Chromium here: apt-get install chromium")
    flags = "--headless=new --no-sandbox --disable-gpu --no-first-run --hide-scrollbars --virtual-time-budget=3000"
    scheme = f"--blink-settings=preferredColorScheme={0 if is_dark else 1}"
    with tempfile.TemporaryDirectory() as profile:
        own = [f"--user-data-dir={profile}", f"--window-size={width},{height}", f"--screenshot={picture}", scheme]
        subprocess.run([browser, *flags.split(), *own, address], check=True, timeout=60, stderr=subprocess.DEVNULL)


def main() -> None:
    """Write every picture beside this file."""
    explanation = explain(formula_function("ln(x1) + x1*x2 - sin(x2)", POINT), POINT)
    write_graph(explanation, HERE / "graph.svg")
    write_graph(explanation, HERE / "graph-light.png")
    picture = (HERE / "graph.svg").as_uri()
    width, height = (
        int(part) for part in (HERE / "graph.svg").read_text().split('viewBox="0 0 ')[1].split('"')[0].split()
    )
    photograph(picture, HERE / "graph-dark.png", width, height, is_dark=True)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        write_page(explanation, page)
        for name, is_dark in (("light", False), ("dark", True)):
            photograph(f"{page.as_uri()}#step={STEP}", HERE / f"page-{name}.png", 1280, 900, is_dark=is_dark)
        photograph(f"{page.as_uri()}#step={STEP}", HERE / "page-phone.png", 500, 900, is_dark=False)


if __name__ == "__main__":
    main()
