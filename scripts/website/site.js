"use strict";
// The search, the button for dark and light, and the keys. It asks nothing of anybody: the index
// comes from search-index.js, a file beside the page.

(() => {
  const root = document.documentElement;

  // ---------------------------------------------------------------- dark and light
  const button = document.querySelector(".theme");
  const paint = (theme) => {
    root.dataset.theme = theme;
    document.body.dataset.jpThemeLight = String(theme === "light"); // what figures look at
    const other = theme === "dark" ? "light" : "dark";
    button.textContent = other === "dark" ? "Dark" : "Light";
    button.setAttribute("aria-label", `Show the pages ${other}`);
  };
  button.hidden = false;
  paint(root.dataset.theme);
  button.addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    paint(theme);
    try { localStorage.setItem("workbook-theme", theme); } catch { /* storage is off */ }
  });

  // ---------------------------------------------------------------- lists that fold on small screens
  const narrow = matchMedia("(max-width: 60rem)");
  const fold = () => {
    for (const list of document.querySelectorAll(".pages, .contents")) list.open = !narrow.matches;
  };
  narrow.addEventListener("change", fold);
  fold();

  // ---------------------------------------------------------------- what scrolls can be reached by keys
  const watch = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth + 1) {
        target.tabIndex = 0;
        target.setAttribute("role", "group");
        target.setAttribute("aria-label", `${target.dataset.kind || "Code"}, scrolls sideways`);
      } else if (target.hasAttribute("aria-label")) {
        for (const name of ["tabindex", "role", "aria-label"]) target.removeAttribute(name);
      }
    }
  });
  for (const wide of document.querySelectorAll(".scroll, .cell pre")) watch.observe(wide);

  // ---------------------------------------------------------------- search
  const { docs, words, stop } = window.INDEX;
  const known = Object.keys(words);
  const ignored = new Set(stop);
  const form = document.querySelector(".search");
  const input = form.querySelector("input");
  const found = form.querySelector("#found");
  const status = found.querySelector("[role=status]");
  const list = found.querySelector("ol");
  form.hidden = false;

  const stem = (word) => {
    for (const end of ["ingly", "ing", "ly", "ed", "es", "er", "s"])
      if (word.endsWith(end) && word.length - end.length >= (end === "s" ? 3 : 4))
        return word.slice(0, -end.length);
    return word;
  };
  const stems = known.map(stem);

  // How well a word of the index answers what was typed: itself, its stem, its beginning.
  const matches = (typed) => {
    const wanted = stem(typed);
    const answers = [];
    known.forEach((word, number) => {
      const share = word === typed ? 1 : stems[number] === wanted ? 0.85
        : typed.length > 1 && word.startsWith(typed) ? 0.6 * (typed.length + 3) / (word.length + 3) : 0;
      if (share) answers.push([word, share]);
    });
    return answers;
  };

  // Whether two words differ by one letter: left out, added, changed, or two exchanged.
  const near = (one, two) => {
    if (Math.abs(one.length - two.length) > 1) return false;
    let start = 0;
    while (start < one.length && one[start] === two[start]) start += 1;
    const [a, b] = [one.slice(start), two.slice(start)];
    return a.slice(1) === b || a === b.slice(1) || a.slice(1) === b.slice(1)
      || (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2));
  };

  const answering = (typed) => {
    const exact = matches(typed);
    if (exact.length) return [exact];
    const parts = typed.split(/[._]+/).filter((part) => part && !ignored.has(part));
    if (parts.length > 1) return parts.flatMap(answering);
    if (typed.length < 5) return [[]];
    return [known.filter((word) => near(word, typed)).map((word) => [word, 0.5])];
  };

  const search = (query) => {
    const plain = query.toLowerCase().trim();
    let typed = plain.match(/[\p{L}\p{N}]+(?:[._]+[\p{L}\p{N}]+)*/gu) || [];
    const telling = typed.filter((word) => !ignored.has(word));
    typed = telling.length ? telling : typed;
    const terms = typed.flatMap(answering);
    const total = new Map();
    for (const answers of terms) {
      const best = new Map();
      for (const [word, share] of answers) {
        const flat = words[word];
        for (let i = 0; i < flat.length; i += 2)
          best.set(flat[i], Math.max(best.get(flat[i]) || 0, flat[i + 1] * share));
      }
      for (const [doc, score] of best) {
        const before = total.get(doc) || { score: 0, terms: 0 };
        total.set(doc, { score: before.score + score, terms: before.terms + 1 });
      }
    }
    const ranked = [...total].map(([doc, { score, terms: met }]) => {
      const [, , title, , text, also] = docs[doc];
      const whole = title.toLowerCase().includes(plain) ? 2
        : `${text} ${also}`.toLowerCase().includes(plain) ? 1.4 : 1;
      return { doc, score: score * whole * (met / terms.length) ** 2 };
    });
    ranked.sort((one, two) => two.score - one.score || one.doc - two.doc);
    return { typed, hits: ranked.filter((hit) => hit.score > 0.05 * ranked[0].score).slice(0, 12) };
  };

  // A few words around the first that was typed.
  const glimpse = (text, typed) => {
    const small = text.toLowerCase();
    const places = typed.map((word) => small.indexOf(word)).filter((place) => place >= 0);
    const at = places.length ? Math.min(...places) : 0;
    const from = at > 60 ? text.indexOf(" ", at - 50) + 1 : 0;
    const to = from + 150 < text.length ? text.lastIndexOf(" ", from + 150) : text.length;
    return (from ? "… " : "") + text.slice(from, to) + (to < text.length ? " …" : "");
  };

  const marked = (place, text, typed) => {
    const wanted = typed.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const parts = wanted.length ? text.split(new RegExp(`(${wanted.join("|")})`, "i")) : [text];
    parts.forEach((part, number) => {
      if (number % 2) place.append(Object.assign(document.createElement("mark"), { textContent: part }));
      else place.append(part);
    });
  };

  const KINDS = { word: "word", trap: "trap", claim: "claim", guide: "for instructors", section: "", page: "" };
  const line = ({ doc }, typed) => {
    const [address, kind, title, page, text] = docs[doc];
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = address;
    const head = link.appendChild(document.createElement("b"));
    marked(head, title, typed);
    const where = KINDS[kind] || (title === page ? "" : page);
    if (where) {
      const small = link.appendChild(document.createElement("small"));
      small.textContent = ` ${where}`;
    }
    const said = link.appendChild(document.createElement("span"));
    marked(said, glimpse(text, typed), typed);
    link.addEventListener("click", () => close());
    return item;
  };

  const close = () => { found.hidden = true; };
  const show = () => {
    list.replaceChildren();
    found.hidden = !input.value.trim();
    if (found.hidden) return;
    const { typed, hits } = search(input.value);
    list.append(...hits.map((hit) => line(hit, typed)));
    const many = hits.length === 1 ? "1 place" : `${hits.length} places`;
    status.textContent = hits.length ? `${many}: go there with ↓ and Enter.`
      : "Nothing here. Try fewer words, or the name of a function.";
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("a");
    if (first) first.click();
  });
  form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      event.preventDefault();
      if (found.hidden) input.blur();
      input.value = found.hidden ? "" : input.value;
      if (!found.hidden) input.focus();
      close();
    } else if (event.key === "ArrowDown" && at + 1 < links.length && !found.hidden) {
      event.preventDefault();
      links[at + 1].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (at ? links[at - 1] : input).focus();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!form.contains(event.target)) close();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
})();
