// A question with its choices. What is chosen counts until the result is shown, which is decided
// here: while cells run, the kernel hears of nothing.

const STORED = "wb-stored-results";

// What an earlier run left in this notebook would tell the answer.
function coverStored() {
  if (document.getElementById(STORED)) return;
  const style = document.createElement("style");
  style.id = STORED;
  style.textContent = `
    .wb-saved .wb-unopened > * { display: none; }
    .wb-saved .wb-unopened::before { color: var(--jp-content-font-color2); font-style: italic;
      content: "An earlier run's result is covered while you predict. Run this cell for yours."; }`;
  document.head.append(style);
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

function render({ model, el }) {
  coverStored();
  el.classList.add("wb-ask");
  const name = `wb-${Math.random()}`; // another for each view, or they would share one choice
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  legend.append(element("b", "", "Your prediction."), ` ${model.get("question")}`);
  group.append(legend);
  const buttons = model.get("choices").map(([label, limits]) => {
    const line = element("label", "wb-choice", "");
    const button = document.createElement("input");
    Object.assign(button, { type: "radio", name, value: label });
    line.append(button, element("span", "", label));
    if (limits) line.append(element("span", "wb-limits", limits));
    group.append(line);
    return button;
  });
  const told = element("p", "wb-told", "");
  told.setAttribute("role", "status");
  told.tabIndex = -1;
  const show = element("button", "wb-show jupyter-button widget-button", "Show the result");
  el.append(group, told, show);

  const found = () => Object.keys(model.get("told")).length > 0;
  const save = (changes) => {
    for (const [trait, value] of Object.entries(changes)) model.set(trait, value);
    model.save_changes();
  };
  // Arrow keys pass over choices that are not meant; a click and Enter mean one.
  let passing = false;
  group.addEventListener("pointerdown", () => (passing = false));
  group.addEventListener("keydown", (event) => {
    passing = event.key.startsWith("Arrow");
    if (event.key === "Enter" && found() && model.get("answer") !== null) save({ shown: true });
  });
  group.addEventListener("change", (event) => {
    const shown = found() && !passing;
    save({ answer: event.target.value, ...(shown ? { shown } : {}) });
  });
  show.addEventListener("click", () => save({ shown: true }));

  const draw = () => {
    const answer = model.get("answer");
    const open = model.get("shown") && found();
    const had = el.contains(document.activeElement);
    for (const button of buttons) {
      button.checked = button.value === answer;
      button.disabled = open;
    }
    show.hidden = open || !found();
    const verdict = open ? model.get("told")[answer ?? ""] : null;
    told.dataset.kind = verdict?.kind ?? "";
    told.textContent = verdict?.text ?? waiting(found(), answer);
    // What was disabled keeps the focus until the next frame in some browsers, and then loses it.
    if (had && (open || !el.contains(document.activeElement))) told.focus({ preventScroll: true });
  };
  const arrived = () => {
    if (found() && model.get("answer") !== null && !model.get("shown")) save({ shown: true });
    draw();
  };
  draw();
  model.on("change:answer", draw);
  model.on("change:shown", draw);
  model.on("change:told", arrived);
  return () => {
    model.off("change:answer", draw);
    model.off("change:shown", draw);
    model.off("change:told", arrived);
  };
}

function waiting(found, answer) {
  if (found && answer === null) return "The result is there, and covered until you answer.";
  if (found) return "Press Enter or “Show the result” to see whether you are right.";
  if (answer === null) return "Choose before you measure.";
  return "Kept. You can change it until the result is shown.";
}

export default { render };
