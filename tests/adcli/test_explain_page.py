"""The page that plays both sweeps, in a real browser."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import pytest

from adcli.report.explain_page import write_page
from adcli_methods.explaining import explain
from adcli_methods.explanation import Explanation
from adcli_methods.formula import formula_function
from adcli_methods.function import function_of

pytest.importorskip("igraph")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --window-size=1280,900""".split()
KEYS = {"Right": "\ue014", "Left": "\ue012", "Home": "\ue011", "End": "\ue010", "Space": " "}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """A session of Chromium, spoken to by the WebDriver protocol."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/session"
        logs = {"performance": "ALL", "browser": "ALL"}
        wanted = {"goog:chromeOptions": {"binary": CHROMIUM, "args": FLAGS}, "goog:loggingPrefs": logs}
        self.address += "/" + self.send("", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def send(self, path: str, content: dict[str, Any] | None, method: str = "POST") -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = Request(self.address + path, body, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def open(self, path: Path, step: int | None = None) -> None:
        self.send("/url", {"url": "about:blank"})
        self.log("performance")
        self.log("browser")
        self.send("/url", {"url": path.as_uri() + ("" if step is None else f"#step={step}")})

    def run(self, script: str) -> Any:
        return self.send("/execute/sync", {"script": f"return {script}", "args": []})

    def press(self, *keys: str) -> None:
        presses = [{"type": kind, "value": KEYS[key]} for key in keys for kind in ("keyDown", "keyUp")]
        self.send("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": presses}]})

    def point_at(self, selector: str) -> None:
        event = "new MouseEvent('pointerover', {bubbles: true})"
        self.run(f"document.querySelector({json.dumps(selector)}).dispatchEvent({event})")

    def click(self, selector: str) -> None:
        found = self.send("/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.send(f"/element/{found}/click", {})

    def log(self, kind: str) -> list[dict[str, Any]]:
        return list(self.send("/se/log", {"type": kind}))

    def events(self, name: str) -> list[dict[str, Any]]:
        """What happened of this name since the page was opened."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [message["params"] for message in messages if message["method"] == name]

    def requested(self) -> set[str]:
        """The addresses that the page asked for since it was opened."""
        return {event["request"]["url"] for event in self.events("Network.requestWillBeSent")}

    def shown(self, selector: str) -> str:
        return str(self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    def visible(self, selector: str) -> list[str]:
        """The texts of the elements that can be seen."""
        is_visible = "getComputedStyle(element).visibility === 'visible'"
        found = f"Array.from(document.querySelectorAll({json.dumps(selector)})).filter((element) => {is_visible})"
        return list(self.run(f"{found}.map((element) => element.textContent)"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    driver = shutil.which("chromedriver")
    if CHROMIUM is None or driver is None:
        pytest.skip("no Chromium with chromedriver here: apt-get install chromium chromium-driver")
    with subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            started = next(found for line in process.stdout if (found := re.search(r"on port (\d+)\.", line)))
            browser = Browser(int(started[1]))
            yield browser
            browser.send("", None, "DELETE")
        finally:
            process.terminate()


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def logistic(r, x):
    for _ in range(400):
        x = r * x * (1.0 - x)
    return math.sin(x)


def of_formula(text: str, **at: float) -> Explanation:
    return explain(formula_function(text, at), at)


GRIEWANK = of_formula("log(x1) + x1*x2 - sin(x2)", x1=2.0, x2=5.0)
EXPLANATIONS = {
    "exp": of_formula("exp(x**2)", x=2.0),
    "Griewank": GRIEWANK,
    "rosenbrock": explain(function_of(rosenbrock), np.array([-1.2, -0.3, 0.6])),
    "folded loop": explain(function_of(logistic), {"r": 3.2, "x": 0.3}),
}


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Browser:
    """The browser at the page of ln(x1) + x1*x2 - sin(x2) at (2, 5)."""
    write_page(GRIEWANK, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    return browser


@pytest.mark.parametrize("way", ["button", "keyboard", "last"])
@pytest.mark.parametrize("explanation", EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_at_the_end_the_page_shows_the_derivative_that_was_computed(explanation, way, browser, tmp_path):
    write_page(explanation, tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    assert "data" not in browser.run("document.getElementById('derivative').innerHTML")
    steps = int(browser.run("document.getElementById('position').max"))
    if way == "button":
        browser.run(f"Array.from({{length: {steps}}}, () => document.getElementById('step').click())")
    elif way == "keyboard":
        browser.press(*["Right"] * steps)
    else:
        browser.click("#last")
    read = browser.run(
        "Object.fromEntries(Array.from(document.querySelectorAll('#derivative data'),"
        " (data) => [data.dataset.input, JSON.parse(data.value)]))"
    )
    assert read == {name: np.asarray(adjoint).tolist() for name, adjoint in explanation.derivative.items()}
    assert browser.log("browser") == []
    assert browser.requested() == {(tmp_path / "page.html").as_uri()}


def test_the_forward_sweep_fills_values_and_the_reverse_sweep_adjoints(opened):
    assert opened.visible(".adcli-graph .value") == []
    opened.press("Right", "Right", "Right")
    assert opened.visible(".adcli-graph .value") == ["2", "5", "0.693147"]
    assert opened.visible("td.value .number") == ["2", "5", "0.693147"]
    assert opened.visible(".adcli-graph .partial") == ["0.5"]
    assert opened.visible(".adcli-graph .adjoint") == []
    assert "v₁ = ln(v₋₁) = 0.693147" in opened.shown("#told")
    assert opened.run("document.querySelectorAll('.wire.flow-forward').length") == 1
    opened.press("End", "Left")
    assert opened.visible("td.adjoint .number")[0] == "v̄₀ = 1.71634"
    assert len(opened.visible(".adcli-graph .adjoint")) == 6
    assert "v̄₄·cos(v₀) + v̄₂·v₋₁ = -0.283662 + 2 = 1.71634" in opened.shown("#told")
    assert opened.run("document.querySelectorAll('.wire.flow-reverse').length") == 2
    opened.press("Home")
    assert opened.visible(".adcli-graph .value") == []
    assert opened.run("document.getElementById('back').disabled")


def test_play_goes_on_by_itself_and_pauses(opened):
    opened.press("Space")
    opened.send("/timeouts", {"script": 20000})
    waited = "await new Promise((done) => setInterval(() => position.value >= 3 && done(), 50))"
    opened.run(f"(async () => {{ {waited}; }})()")
    opened.press("Space")
    assert opened.run("document.getElementById('play').getAttribute('aria-label')") == "Play"
    assert len(opened.visible("td.value .number")) >= 3


def test_node_row_and_formula_point_at_each_other(opened):
    opened.run("document.querySelector('tr[data-nodes=\"5\"]').focus()")
    assert opened.run("document.querySelector('.source .linked').textContent") == "sin(x2)"
    assert opened.run("document.querySelector('.node.linked .title').textContent") == "v₄ = sin(v₀)"
    opened.point_at('.node[data-nodes="3"]')
    assert opened.run("document.querySelector('.source .linked').textContent") == "x1*x2"
    assert opened.run("document.querySelector('tr.linked .name').textContent") == "v₂"


def test_a_user_s_lines_point_at_all_their_operations(browser, tmp_path):
    write_page(EXPLANATIONS["rosenbrock"], tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.point_at('.node[data-nodes="4"]')
    assert browser.run("document.querySelector('.source .linked').textContent").startswith("total = total + 100.0")


def test_a_link_opens_the_page_at_a_step(browser, tmp_path):
    write_page(GRIEWANK, tmp_path / "page.html")
    browser.open(tmp_path / "page.html", step=2)
    assert browser.visible("td.value .number") == ["2", "5"]


@pytest.mark.parametrize("width", [420, 1280])
@pytest.mark.parametrize("name", EXPLANATIONS)
def test_nothing_but_a_wide_graph_scrolls_sideways(name, width, browser, tmp_path):
    browser.send("/window/rect", {"width": width, "height": 900})
    write_page(EXPLANATIONS[name], tmp_path / "page.html")
    browser.open(tmp_path / "page.html", step=10_000)
    root = "document.documentElement"
    assert browser.run(f"{root}.scrollWidth - {root}.clientWidth") == 0
    browser.send("/window/rect", {"width": 1280, "height": 900})


HOSTILE = (
    "</script><script>document.title='taken'</script><img src=http://127.0.0.1:9/x onerror=\"document.title='taken'\">"
)


def hostile() -> Explanation:
    explanation = explain(function_of(rosenbrock), np.array([0.5, 1.0]))
    lines = tuple(type(line)(**{**vars(line), "formula": HOSTILE, "branch": HOSTILE, "adjoint_formula": HOSTILE})
                  for line in explanation.lines)  # fmt: skip
    named = {"function": HOSTILE, "inputs": (HOSTILE,), "derivative": {HOSTILE: 1.0}, "point": {HOSTILE: 0.5}}
    return Explanation(**{**vars(explanation), **named, "lines": lines, "notes": (HOSTILE,), "seed_direction": HOSTILE})


def test_texts_from_outside_are_never_code(browser, tmp_path):
    write_page(hostile(), tmp_path / "page.html")
    browser.open(tmp_path / "page.html")
    browser.press("End")
    assert browser.shown("h1") == HOSTILE
    assert browser.run("document.title") == f"{HOSTILE} – adcli"
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert browser.log("browser") == []
    assert browser.requested() == {(tmp_path / "page.html").as_uri()}


def test_the_policy_forbids_requests_and_foreign_scripts(opened):
    opened.run("document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/x'}))")
    opened.run("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")
    assert opened.run("document.title").endswith("adcli")
    assert len(opened.log("browser")) == 2
    assert [event["blockedReason"] for event in opened.events("Network.loadingFailed")] == ["csp"]
