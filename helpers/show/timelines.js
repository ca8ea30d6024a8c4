// Lanes of who is busy when, and an element that keys, buttons and a slider choose in all of them.

const STYLE = `
.wb-timelines { border: 1px solid var(--jp-border-color2, #ccc); border-radius: 4px;
  padding: 10px 12px; color: var(--jp-content-font-color1, black); font-size: 13px;
  container-type: inline-size; }
@container (max-width: 820px) { .wb-timelines .tl-said { min-height: 2.8em; } }
.wb-timelines .tl-title, .wb-timelines .tl-name { font-weight: 600; }
.wb-timelines .tl-title { font-size: 1.1em; margin-bottom: 6px; }
.wb-timelines .tl-steps { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.wb-timelines .tl-steps button { min-width: 2.2em; height: 28px; font-size: 14px; cursor: pointer;
  color: var(--jp-content-font-color1, black); background: var(--jp-layout-color2, #eee);
  border: 1px solid var(--jp-border-color1, #999); border-radius: 3px; }
.wb-timelines .tl-steps input { flex: 0 1 240px; accent-color: #0072B2; }
.wb-timelines :is(button, input):focus-visible { outline: 2px solid #3E97D1; outline-offset: 1px; }
.wb-timelines .tl-one { margin-top: 10px; }
.wb-timelines .tl-lane { display: grid; grid-template-columns: 118px 1fr; align-items: center;
  height: 26px; }
.wb-timelines .tl-lane svg { display: block; width: 100%; height: 26px; overflow: visible; }
.wb-timelines .tl-now { fill: currentColor; opacity: 0.1; }
.wb-timelines .tl-edge { stroke: currentColor; stroke-width: 1; stroke-dasharray: 2 2;
  vector-effect: non-scaling-stroke; }
.wb-timelines .tl-at { stroke: currentColor; stroke-width: 2; vector-effect: non-scaling-stroke; }
.wb-timelines .tl-said { line-height: 1.4; margin-left: 118px; }
.wb-timelines .tl-axis { position: relative; height: 18px; margin-left: 118px;
  border-top: 1px solid currentColor; }
.wb-timelines .tl-axis span { position: absolute; transform: translateX(-50%); font-size: 12px; }
.wb-timelines .tl-axis span:first-child { transform: none; }
.wb-timelines .tl-foot { text-align: right; font-size: 11px;
  color: var(--jp-content-font-color2, #666); }`;

const WIDE = 1000; // of a lane, stretched to what there is

function make(kind, parts = {}, ...inside) {
  const drawn = ["svg", "rect", "line"].includes(kind);
  const made = drawn
    ? document.createElementNS("http://www.w3.org/2000/svg", kind)
    : document.createElement(kind);
  for (const [name, value] of Object.entries(parts)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

function three(value) {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function ticks(longest) {
  const unit = 10 ** Math.floor(Math.log10(longest));
  const step = [0.2, 0.5, 1, 2].map((share) => share * unit).find((one) => longest / one <= 7);
  return Array.from({ length: Math.floor(longest / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)));
}

class Lanes {
  constructor(told, longest, colours) {
    this.told = told;
    this.place = (ms) => (ms / longest) * WIDE;
    this.box = make("div", { class: "tl-one" },
      make("span", { class: "tl-name" }, told.label), `: ${told.each}`);
    this.marks = told.lanes.map((lane) => {
      const bars = lane.spans.map(([start, end]) =>
        make("rect", { x: this.place(start), width: Math.max(0.8, this.place(end - start)), y: 4,
          height: 18, fill: colours[lane.name] }));
      const now = make("rect", { class: "tl-now", y: 0, height: 26 });
      const edges = [0, 1].map(() => make("line", { class: "tl-edge", y1: 0, y2: 26 }));
      const svg = make("svg", { viewBox: `0 0 ${WIDE} 26`, preserveAspectRatio: "none",
        "aria-hidden": "true" }, now, ...bars, ...edges);
      this.box.append(make("div", { class: "tl-lane" },
        make("span", {}, `${lane.name} ${lane.busy}`), svg));
      return { bars, now, edges };
    });
    this.said = make("div", { class: "tl-said" });
    this.box.append(this.said);
  }

  spans(name) {
    return this.told.lanes.find((lane) => lane.name === name)?.spans ?? [];
  }

  show(number) {
    const [asked, got] = this.spans("waiting")[number];
    const done = this.spans("consumer")[number]?.[1] ?? got;
    for (const { bars, now, edges } of this.marks) {
      now.setAttribute("x", this.place(asked));
      now.setAttribute("width", this.place(done - asked));
      edges.forEach((edge, index) => {
        for (const end of ["x1", "x2"]) edge.setAttribute(end, this.place([asked, done][index]));
      });
      for (const bar of bars) bar.classList.remove("tl-at");
    }
    this.told.lanes.forEach((lane, index) => {
      if (lane.name !== "generator") this.marks[index].bars[number]?.classList.add("tl-at");
    });
    this.said.textContent = this.words(asked, got, done);
  }

  words(asked, got, done) {
    const generator = this.spans("generator");
    const meanwhile = (start, end) => {
      if (!generator.length) return "";
      const parts = generator.map((one) => Math.min(end, one[1]) - Math.max(start, one[0]));
      const worked = parts.reduce((sum, part) => sum + Math.max(0, part), 0);
      return `, in which the generator works ${three(worked)} ms`;
    };
    const waits = `waits ${three(got - asked)} ms${meanwhile(asked, got)}`;
    if (done <= got) return `${waits}.`;
    return `${waits}; then a step of ${three(done - got)} ms${meanwhile(got, done)}.`;
  }
}

export default {
  render({ model, el }) {
    const { title, colours, longest, timelines, machine } = model.get("shown");
    const last = Math.min(...timelines.map((one) => one.elements)) - 1;
    const lanes = timelines.map((one) => new Lanes(one, longest, colours));
    const back = make("button", { type: "button", "aria-label": "Element before" }, "←");
    const on = make("button", { type: "button", "aria-label": "Next element" }, "→");
    const slider = make("input", { type: "range", min: 0, max: last, value: 0,
      "aria-label": "Element" });
    const status = make("span", { class: "wb-status", "aria-live": "polite" });
    const go = (number) => {
      const at = Math.max(0, Math.min(last, number));
      slider.value = at;
      slider.setAttribute("aria-valuetext", `${at + 1} of ${last + 1}`);
      back.setAttribute("aria-disabled", at === 0); // not disabled, which would lose the focus
      on.setAttribute("aria-disabled", at === last);
      status.textContent = `element ${at + 1} of ${last + 1}`;
      for (const one of lanes) one.show(at);
    };
    back.onclick = () => go(Number(slider.value) - 1);
    on.onclick = () => go(Number(slider.value) + 1);
    slider.oninput = () => go(Number(slider.value));
    const box = make("div", {}, make("style", {}, STYLE));
    if (title) box.append(make("div", { class: "tl-title" }, title));
    box.append(make("div", { class: "tl-steps" }, back, slider, on, status),
      ...lanes.map((one) => one.box));
    const axis = make("div", { class: "tl-axis" });
    for (const tick of ticks(longest * 0.98))
      axis.append(make("span", { style: `left: ${(tick / longest) * 100}%` }, three(tick)));
    box.append(axis, make("div", { class: "tl-foot" }, `ms. ${machine}`));
    box.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!way || event.target === slider) return; // the slider moves by itself
      go(Number(slider.value) + way);
      event.preventDefault();
    });
    go(0);
    el.append(box);
  },
};
