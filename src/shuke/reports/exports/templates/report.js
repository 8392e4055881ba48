// Draws each figure when it comes near, over the picture that stands there for paper and for readers without scripts.
(() => {
  "use strict";
  const NARROW = 0.75; // of the width that the drawing was made for

  const layersOf = (drawing) => drawing.layer || [drawing];

  // A Chinese letter is twice as wide as a Latin one; the swatch and the gap take the rest.
  const legendWidths = (names) =>
    names.map((name) => [...name].reduce((sum, letter) => sum + (letter > "\u2e80" ? 12 : 6.6), 44));

  function fit(drawing, width) {
    const narrow = width < NARROW * drawing.width;
    const { leastWidth, narrowDomain } = drawing.usermeta || {};
    drawing.width = leastWidth > width ? leastWidth : "container"; // what is wider scrolls in its own box
    drawing.config.aria = false; // the figure's one sentence is its text; hundreds of marks would drown it
    if (!narrow) return drawing;
    if (drawing.layer) drawing.layer = drawing.layer.filter((layer) => !(layer.name || "").startsWith("wide_only"));
    for (const layer of layersOf(drawing)) {
      const { x, y, color, strokeDash } = layer.encoding || {};
      if (y && y.axis) y.axis.labelLimit = Math.min(y.axis.labelLimit || 110, 110);
      if (x && narrowDomain) x.scale.domain = narrowDomain;
      if (x && x.axis) {
        if (typeof x.axis.tickCount === "number") x.axis.tickCount = 4;
        if (x.axis.labelAngle === 0) Object.assign(x.axis, { labelOverlap: true, labelSeparation: 6 });
      }
      for (const channel of [color, strokeDash]) {
        if (!channel || !channel.legend || !channel.legend.columns) continue;
        const widths = legendWidths(channel.scale.domain);
        const oneRow = widths.reduce((sum, one) => sum + one, 0) <= width;
        channel.legend.columns = oneRow ? widths.length : Math.max(1, Math.floor(width / Math.max(...widths)));
      }
    }
    return drawing;
  }

  async function draw(place) {
    const drawing = JSON.parse(document.getElementById(`${place.dataset.figure}-drawing`).textContent);
    const figure = place.closest("figure");
    place.hidden = false;
    try {
      await vegaEmbed(place, fit(drawing, place.clientWidth), {
        mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false,
        tooltip: { disableDefaultStyle: true },
      });
      figure.classList.add("drawn");
      if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    } catch (fault) {
      place.hidden = true; // the picture stays
      console.error(fault);
    }
  }

  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      draw(entry.target.querySelector("[data-figure]"));
    }
  }, { rootMargin: "600px" });
  for (const place of document.querySelectorAll("[data-figure]")) near.observe(place.closest("figure"));

  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const reading = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const chapter of document.querySelectorAll(".chapter")) reading.observe(chapter);

  if (matchMedia("(max-width: 62rem)").matches) document.querySelector("nav details").open = false;
})();
