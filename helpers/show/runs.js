// The runs of a panel as a list: each with its interval, a box to tick, a button to have it back.
const make = (tag, name, parent) => {
  const made = document.createElement(tag);
  made.className = name;
  parent.append(made);
  return made;
};

const set = (place, html) => {
  if (place.kept !== html) {  // what is unchanged keeps its focus and its selection
    place.innerHTML = html;
    place.kept = html;
  }
};

function row(model, number) {
  const item = document.createElement("li");
  item.className = "wb-run";
  const tick = make("input", "wb-tick", item);
  tick.type = "checkbox";
  const recall = make("button", "wb-recall", item);
  recall.type = "button";
  const drawn = make("div", "wb-drawn", item);
  const said = make("div", "wb-ratio", item);
  tick.addEventListener("change", () => {
    const others = model.get("ticked").filter((other) => other !== number);
    model.set("ticked", tick.checked ? [...others, number].slice(-2) : others);
    model.save_changes();
  });
  recall.addEventListener("click", () => model.send({ recall: number }));
  return { item, tick, recall, drawn, said };
}

function render({ model, el }) {
  el.classList.add("wb-runs");
  const head = make("div", "wb-axis", el);
  const list = make("ol", "wb-list", el);
  list.setAttribute("aria-label", "Runs, the latest first");
  list.setAttribute("tabindex", "0");
  const empty = make("p", "wb-empty", el);
  const known = new Map();

  const draw = () => {
    const rows = model.get("rows");
    set(head, model.get("head"));
    empty.textContent = rows.length ? "" : model.get("empty");
    const wanted = new Set(rows.map((one) => one.number));
    for (const [number, parts] of known)
      if (!wanted.has(number)) {
        parts.item.remove();
        known.delete(number);
      }
    rows.forEach((one, place) => {
      if (!known.has(one.number)) known.set(one.number, row(model, one.number));
      const parts = known.get(one.number);
      if (list.children[place] !== parts.item) list.insertBefore(parts.item, list.children[place]);
      parts.item.classList.toggle("wb-running", one.running);
      parts.tick.disabled = parts.recall.disabled = one.running;
      parts.tick.setAttribute("aria-label", `Compare run ${one.number}`);
      parts.tick.title = `Tick two runs to compare them`;
      parts.recall.title = one.hint;
      set(parts.recall, one.name);
      set(parts.drawn, one.drawn);
      set(parts.said, one.said);
    });
    const ticked = model.get("ticked");
    for (const [number, parts] of known) parts.tick.checked = ticked.includes(number);
  };

  for (const name of ["rows", "ticked", "head", "empty"]) model.on(`change:${name}`, draw);
  draw();

  const near = () => {  // the reader comes to the panel, and may press Measure soon
    const panel = el.closest(".wb-panel");
    if (!panel) return requestAnimationFrame(near);
    let told = -Infinity;
    const come = () => {
      const gone = panel.classList.contains("jupyter-widgets-disconnected");
      if (gone || performance.now() - told < 5000) return;
      told = performance.now();
      model.send({ near: true });
    };
    for (const kind of ["pointerenter", "focusin"]) panel.addEventListener(kind, come);
  };
  requestAnimationFrame(near);
}

export default { render };
