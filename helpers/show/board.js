// The scoreboard: which claims are shown is decided here; the kernel is asked for trials only.

const button = (only, label, kind) =>
  `<button type="button" data-only="${only}" class="${kind}" aria-pressed="${!only}">${label}</button>`;

// Within JupyterLab a link opens another notebook beside this one, in the folder of this one.
function lead(link) {
  const name = link.getAttribute("href");
  const here = decodeURIComponent(location.pathname.split("/tree/")[1] ?? "");
  const path = here.includes("/") ? `${here.slice(0, here.lastIndexOf("/"))}/${name}` : name;
  link.dataset.commandlinkerCommand = "docmanager:open";
  link.dataset.commandlinkerArgs = JSON.stringify({ path });
}

function render({ model, el }) {
  const all = model.get("counts").reduce((sum, [, , count]) => sum + count, 0);
  el.innerHTML = `
    <div class="wb-filter" role="group" aria-label="Which claims">
      ${button("", `all ${all}`, "")}
      ${model.get("counts").map(([word, kind, count]) => button(kind, `${count} ${word}`, kind)).join("")}
      <input type="search" aria-label="Claims with these words" placeholder="with the words …">
      <span class="wb-shown" role="status"></span>
    </div>
    <div class="wb-claims">${model.get("claims")}</div>
    <p class="wb-none" hidden>No claim has these words: take one away, or show all verdicts.</p>`;
  const claims = [...el.querySelectorAll(".wb-claim")];
  const text = el.querySelector("input");
  let only = "";

  function filter() {
    const words = text.value.toLowerCase().split(/\s+/);
    for (const claim of claims)
      claim.hidden =
        (only && claim.dataset.verdict !== only) ||
        !words.every((word) => claim.dataset.words.includes(word));
    const shown = claims.filter((claim) => !claim.hidden).length;
    el.querySelector(".wb-shown").textContent = `${shown} of ${all} claims`;
    el.querySelector(".wb-none").hidden = shown > 0;
  }

  function place() {
    const running = model.get("running");
    const tried = model.get("tried");
    for (const slot of el.querySelectorAll("[data-slot]")) {
      const mine = running.claim === slot.dataset.slot;
      if (!mine) {
        const now = tried[slot.dataset.slot] ?? "";
        if (slot.shown !== now) slot.innerHTML = slot.shown = now;
        continue;
      }
      if (!slot.querySelector("progress")) {
        slot.shown = null;
        slot.innerHTML = `<p class="wb-actions"><progress max="1" aria-label="Progress of the trial"></progress>
          <button type="button" data-stop>Stop</button></p><p class="wb-words"></p>`;
      }
      slot.querySelector("progress").value = running.share;
      slot.querySelector(".wb-words").textContent = running.words;
    }
    for (const one of el.querySelectorAll("[data-try]")) one.disabled = "claim" in running;
  }

  el.addEventListener("click", ({ target }) => {
    if ("try" in target.dataset) model.send({ do: "try", claim: target.dataset.try });
    if ("stop" in target.dataset) model.send({ do: "stop" });
    if (!("only" in target.dataset)) return;
    only = target.dataset.only;
    for (const one of el.querySelectorAll("[data-only]"))
      one.setAttribute("aria-pressed", one === target);
    filter();
  });
  text.addEventListener("input", filter);
  el.querySelectorAll("a[href$='.ipynb']").forEach(lead);
  model.on("change:running", place);
  model.on("change:tried", place);
  filter();
  place();
}

export default { render };
