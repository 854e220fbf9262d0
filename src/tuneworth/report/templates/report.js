/* Shows one of the two languages and draws its charts in the colours of the page. */
(function () {
  "use strict";
  const NARROW = 640;
  const ROOMY = 860; /* names beside the bubbles need this much */
  const PAPER_PX = 650; /* fits A4 and Letter with usual margins */
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const pages = Array.from(document.querySelectorAll(".page"));
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  /* "#zh", "#zh-quality" and "?lang=zh" all ask for Chinese. */
  function wanted() {
    const asked = /^#?(en|zh)(-|$)/.exec(location.hash) || /[?&]lang=(en|zh)\b/.exec(location.search);
    return asked ? asked[1] : null;
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    return (name) => style.getPropertyValue("--" + name).trim();
  }

  /* Only values under a key that ends in "color" are colours; labels are never touched. */
  function themed(value, key, colour) {
    if (Array.isArray(value)) return value.map((item) => themed(item, key, colour));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, k, colour)]));
    }
    return typeof value === "string" && /color$/.test(key) && value[0] === "@" ? colour(value.slice(1)) : value;
  }

  function annotation(text, y, extra) {
    return Object.assign({ text: text, y: y, xref: "paper", yref: "y", showarrow: false }, extra);
  }

  /* A line that is labelled where it runs has its label in the legend where there is no room. */
  function withLegend(data, width) {
    if (width >= ROOMY) return data;
    return data.map((trace) => trace.meta === "direct" ? Object.assign({}, trace, { mode: trace.mode.replace("+text", ""), showlegend: true }) : trace);
  }

  /* On a narrow page, and on paper, a long legend is a list: it gets the room it takes. */
  function legendPx(data, layout, width) {
    const entries = data.filter((trace) => trace.name && trace.showlegend !== false).length;
    return width < ROOMY && layout.showlegend !== false && entries > 4 ? 19 * entries : 0;
  }

  /* A wide page has row labels on the axis; a narrow one writes them above the rows. */
  function withRows(chart, layout, width, surface) {
    const narrow = width < NARROW;
    if (!chart.rows.length) {
      if (width < ROOMY) layout.annotations = [];
      else layout.margin.r += chart.reading_px;
      return layout;
    }
    layout.margin.r = 24 + chart.reading_px;
    const notes = chart.readings.map((text, y) =>
      annotation(text, y, { x: 1, xanchor: "left", xshift: 10, font: { size: 14 } }));
    if (narrow) {
      const labels = chart.rows.map((text, y) =>
        annotation(text.replace("<br>", " "), y, { x: 0, xanchor: "left", yshift: 18, font: { size: 12 }, bgcolor: surface, borderpad: 1 }));
      layout.annotations = notes.concat(labels);
      layout.yaxis.showticklabels = false;
      layout.margin.l = 6;
      layout.height = chart.height + 14 * chart.rows.length;
    } else {
      layout.annotations = (width < ROOMY ? [] : layout.annotations || []).concat(notes);
      layout.yaxis.ticktext = chart.rows;
    }
    return layout;
  }

  function draw(printing) {
    const paper = printing === true;
    const page = pages.find((each) => !each.hidden);
    const colour = colours();
    const family = getComputedStyle(document.body).fontFamily;
    for (const chart of figures[page.id]) {
      const node = document.getElementById(page.id + "-chart-" + chart.id);
      const width = paper ? PAPER_PX : node.clientWidth;
      if (!width) continue; /* folded away: drawn when it is opened */
      const layout = withRows(chart, themed(chart.layout, "", colour), width, colour("surface"));
      layout.font.family = family;
      const data = withLegend(themed(chart.data, "", colour), width);
      layout.height = (layout.height || chart.height) + legendPx(data, layout, width);
      layout.width = width;
      node.style.height = layout.height + "px";
      Plotly.react(node, data, layout, { displayModeBar: false, locale: "en-US" });
    }
  }

  function show() {
    const lang = wanted();
    if (lang) {
      for (const page of pages) page.hidden = page.id !== lang;
    }
    const page = pages.find((each) => !each.hidden);
    document.documentElement.lang = page.lang;
    document.title = page.dataset.title;
    draw();
    const target = location.hash.length > 3 && document.getElementById(location.hash.slice(1));
    if (target) target.scrollIntoView();
  }

  let waiting = 0;
  function redraw() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => draw());
  }

  document.addEventListener("toggle", redraw, true);
  window.addEventListener("hashchange", show);
  window.addEventListener("resize", redraw);
  window.addEventListener("beforeprint", () => {
    document.documentElement.dataset.printing = "";
    draw(true);
  });
  window.addEventListener("afterprint", () => {
    delete document.documentElement.dataset.printing;
    draw();
  });
  dark.addEventListener("change", redraw);
  show();
})();
