"use strict";
(() => {
  const { steps, wires } = JSON.parse(document.getElementById("steps").textContent);
  const byId = (id) => document.getElementById(id);
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const position = byId("position");
  const told = byId("told");
  const derivative = byId("derivative");
  const result = Array.from(derivative.childNodes);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const pause = Math.max(150, Math.min(1100, 60000 / Math.max(steps.length, 1)));

  const parts = all("[data-nodes]").map((element) => ({ element, nodes: new Set(element.dataset.nodes.split(" ").map(Number)) }));
  const drawn = all(".adcli-graph .wire");
  const labels = all(".adcli-graph .partial");
  const reached = { forward: new Map(), reverse: new Map() };
  steps.forEach((step, rank) => reached[step.sweep].set(step.node, rank + 1));
  let now = 0;
  let timer = null;
  let travellers = [];

  const some = (nodes, test) => { for (const node of nodes) if (test(node)) return true; return false; };
  const every = (nodes, test) => { for (const node of nodes) if (!test(node)) return false; return true; };

  function show(next) {
    const before = now;
    now = Math.max(0, Math.min(steps.length, next));
    const step = now ? steps[now - 1] : null;
    for (const { element, nodes } of parts) {
      element.classList.toggle("has-value", every(nodes, (node) => reached.forward.get(node) <= now));
      element.classList.toggle("has-adjoint", every(nodes, (node) => reached.reverse.get(node) <= now));
      const isNow = step !== null && nodes.has(step.node);
      element.classList.toggle("now-forward", isNow && step.sweep === "forward");
      element.classList.toggle("now-reverse", isNow && step.sweep === "reverse");
    }
    for (const element of [...drawn, ...labels]) {
      const end = step && (step.sweep === "forward" ? element.dataset.target : element.dataset.source);
      const flows = step !== null && Number(end) === step.node;
      element.classList.toggle("flow-forward", flows && step.sweep === "forward");
      element.classList.toggle("flow-reverse", flows && step.sweep === "reverse");
    }
    for (const label of labels) label.classList.toggle("has-value", reached.forward.get(Number(label.dataset.target)) <= now);
    position.value = String(now);
    position.setAttribute("aria-valuetext", step ? `step ${now} of ${steps.length}, ${step.sweep} sweep` : "the start");
    told.replaceChildren(...sentence(step));
    document.body.classList.toggle("in-reverse", now > steps.length / 2);
    byId("first").disabled = byId("back").disabled = now === 0;
    byId("step").disabled = byId("last").disabled = now === steps.length;
    const isDone = now === steps.length;
    derivative.classList.toggle("is-waiting", !isDone);
    derivative.replaceChildren(...(isDone ? result : ["at the end of the reverse sweep"]));
    if (isDone) stop();
    travel(step, now === before + 1);
    follow(step);
  }

  function sentence(step) {
    if (!step) return ["Step through the forward sweep, which computes the values, then through the reverse sweep, which hands the adjoints back."];
    const head = document.createElement("b");
    head.textContent = `${step.sweep === "forward" ? "Forward" : "Reverse"} sweep, ${now} of ${steps.length}: `;
    return [head, step.text];
  }

  // values go along the wires: operands' values forward, contributions to an adjoint back
  function travel(step, isNext) {
    travellers.forEach((traveller) => traveller.remove());
    travellers = [];
    if (!step || !isNext || still.matches) return;
    drawn.forEach((wire, rank) => {
      const isForward = step.sweep === "forward";
      const text = wires[rank][isForward ? 0 : 1];
      if (text && wire.classList.contains(`flow-${step.sweep}`)) send(wire.firstElementChild, text, isForward);
    });
  }

  function send(path, text, isForward) {
    const svg = "http://www.w3.org/2000/svg";
    const group = document.createElementNS(svg, "g");
    const label = document.createElementNS(svg, "text");
    const back = document.createElementNS(svg, "rect");
    const width = text.length * 7.2 + 14;
    label.textContent = text;
    label.setAttribute("y", "4.5");
    for (const [name, value] of [["x", -width / 2], ["y", -10], ["width", width], ["height", 20], ["rx", 10]]) back.setAttribute(name, value);
    group.setAttribute("class", isForward ? "traveller" : "traveller reverse");
    group.append(back, label);
    path.ownerSVGElement.append(group);
    travellers.push(group);
    const length = path.getTotalLength();
    const duration = Math.min(650, pause * 0.7);
    let start = null;
    const move = (time) => {
      if (start === null) start = time;
      const share = Math.min(1, (time - start) / duration);
      const eased = share * share * (3 - 2 * share);
      const at = path.getPointAtLength(length * (isForward ? eased : 1 - eased));
      group.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
      if (share < 1 && group.isConnected) requestAnimationFrame(move); else group.remove();
    };
    move(performance.now());
  }

  // the current node and row stay in view inside their own boxes; the page itself does not jump
  function follow(step) {
    if (!step) return;
    centre(byId("graph"), document.querySelector(`.adcli-graph .node[data-nodes="${step.node}"]`));
    centre(byId("trace"), document.querySelector(`tr[data-nodes="${step.node}"]`));
  }

  function centre(box, element) {
    const outer = box.getBoundingClientRect();
    const inner = element.getBoundingClientRect();
    const behavior = still.matches || timer !== null && pause < 400 ? "auto" : "smooth";
    box.scrollTo({
      left: box.scrollLeft + inner.left + inner.width / 2 - outer.left - outer.width / 2,
      top: box.scrollTop + inner.top + inner.height / 2 - outer.top - outer.height / 2,
      behavior,
    });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    document.body.classList.remove("is-playing");
    byId("play").setAttribute("aria-label", "Play");
  }

  function play() {
    if (timer !== null) return stop();
    if (now === steps.length) show(0);
    document.body.classList.add("is-playing");
    byId("play").setAttribute("aria-label", "Pause");
    timer = setInterval(() => show(now + 1), pause);
    show(now + 1);
  }

  const to = (next) => { stop(); show(next); };
  const keys = { ArrowRight: () => to(now + 1), ArrowLeft: () => to(now - 1), Home: () => to(0), End: () => to(steps.length), " ": play };
  byId("first").addEventListener("click", keys.Home);
  byId("back").addEventListener("click", keys.ArrowLeft);
  byId("step").addEventListener("click", keys.ArrowRight);
  byId("last").addEventListener("click", keys.End);
  byId("play").addEventListener("click", play);
  position.addEventListener("input", () => to(Number(position.value)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isButton = event.target instanceof HTMLButtonElement;
    if (event.key === "Enter" && event.target.dataset && event.target.dataset.nodes) return go(event.target);
    if (!(event.key in keys) || (event.key === " " && isButton)) return;
    event.preventDefault();
    keys[event.key]();
  });

  // graph, table and source point at each other
  function go(element) {
    const node = Number(element.dataset.nodes.split(" ").pop());
    to(reached[now > steps.length / 2 ? "reverse" : "forward"].get(node));
  }

  function link(element) {
    const chosen = element ? new Set(element.dataset.nodes.split(" ").map(Number)) : new Set();
    for (const part of parts) part.element.classList.toggle("linked", some(part.nodes, (node) => chosen.has(node)));
  }

  const owner = (event) => event.target instanceof Element ? event.target.closest("[data-nodes]") : null;
  document.addEventListener("pointerover", (event) => link(owner(event)));
  document.addEventListener("focusin", (event) => link(owner(event)));
  document.addEventListener("focusout", () => link(null));
  document.addEventListener("click", (event) => { const element = owner(event); if (element) go(element); });

  document.body.classList.add("can-step");
  const picture = document.querySelector(".adcli-graph");
  picture.style.setProperty("--drawn", `${picture.getAttribute("width")}px`);
  position.max = String(steps.length);
  const linked = /^#step=(\d+)$/.exec(location.hash);
  show(linked ? Number(linked[1]) : 0);
})();
