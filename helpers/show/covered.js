// The cover over a result. `question` is the widget in prediction.js; it alone knows what is so.

async function render({ model, el }) {
  const id = model.get("question").slice("IPY_MODEL_".length);
  const question = await model.widget_manager.get_model(id);
  const said = document.createElement("p");
  said.textContent =
    "The result is there. It stays covered until you answer the question above: " +
    `“${question.get("question")}”`;
  const show = document.createElement("button");
  show.className = "wb-show jupyter-button widget-button";
  show.textContent = "Show the result";
  show.addEventListener("click", () => {
    question.set("shown", true);
    question.save_changes();
  });
  el.classList.add("wb-cover");
  el.append(said, show);

  const settle = () => {
    const frame = el.closest(".wb-result");
    const beneath = frame?.querySelector(".wb-beneath");
    if (!beneath) return requestAnimationFrame(settle);
    const open = question.get("shown");
    const had = el.contains(document.activeElement);
    el.style.display = open ? "none" : "";
    frame.classList.toggle("wb-open", open);
    if (open && had) {
      beneath.tabIndex = -1;
      beneath.focus({ preventScroll: true });
    }
  };
  settle();
  question.on("change:shown", settle);
  return () => question.off("change:shown", settle);
}

export default { render };
