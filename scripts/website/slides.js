// Starts the slides, and makes what is too tall for a screen smaller until it fits.
(() => {
  const WIDTH = 1280, HEIGHT = 720, LEAST = 0.45;

  const fit = (slide) => {
    const inner = slide && slide.querySelector(":scope > .fit");
    if (!inner) return;
    inner.style.transform = inner.style.width = inner.style.height = "";
    const room = HEIGHT - 40;
    let scale = 1;
    for (let turn = 0; turn < 3 && inner.scrollHeight * scale > room; turn++) {
      scale = Math.max(LEAST, scale * Math.sqrt(room / (inner.scrollHeight * scale)));
      inner.style.width = `${100 / scale}%`;
    }
    scale = Math.max(LEAST, Math.min(scale, room / inner.scrollHeight));
    if (scale < 1) {
      inner.style.width = `${100 / scale}%`;
      inner.style.transform = `scale(${scale})`;
      inner.style.height = `${inner.scrollHeight * scale}px`;
    }
  };

  Reveal.initialize({
    width: WIDTH, height: HEIGHT, margin: 0.03, center: false, hash: true, transition: "none",
    slideNumber: "c/t", overview: true,
  });
  Reveal.on("ready", (event) => fit(event.currentSlide));
  Reveal.on("slidechanged", (event) => fit(event.currentSlide));
  document.addEventListener("toggle", () => fit(Reveal.getCurrentSlide()), true);
})();
