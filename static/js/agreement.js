// Agreement over time: draws the table's rows as a line with its interval. Without this script the table says the same.
const HEIGHT_PX = 280, HALF_HOUR_SECONDS = 1800, DAY_SECONDS = 86400;

let chart = null;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A light-dark() token as one colour: the canvas knows nothing of the page's scheme.
function colour(name) {
  const probe = document.createElement("span");
  probe.className = "visually-hidden";
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function pointsOf(table) {
  const points = [...table.querySelectorAll("tr[data-at]")].map((row) => row.dataset);
  const numbers = (key) => points.map((point) => (point[key] === "" ? null : Number(point[key])));
  return [numbers("at"), numbers("value"), numbers("low"), numbers("high")];
}

// Days where the campaign lasts for days, else the time of day; UTC, as everywhere on the site.
function timesOf(plot, ticks) {
  const span = plot.scales.x.max - plot.scales.x.min;
  const shown = span > 2 * DAY_SECONDS ? { day: "numeric", month: "short" } : { timeStyle: span > HALF_HOUR_SECONDS ? "short" : "medium" };
  const format = new Intl.DateTimeFormat("en-GB", { ...shown, timeZone: "UTC" });
  return ticks.map((tick) => format.format(tick * 1e3));
}

// Lines across the plot: the target, and where a new guideline version began.
function linesPlugin(target, marks, colours) {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        const line = (from, to, stroke, dash) => {
          ctx.save();
          ctx.strokeStyle = stroke;
          ctx.lineWidth = 2 * devicePixelRatio;
          ctx.setLineDash(dash.map((each) => each * devicePixelRatio));
          ctx.beginPath();
          ctx.moveTo(...from);
          ctx.lineTo(...to);
          ctx.stroke();
          ctx.restore();
        };
        const y = plot.valToPos(target, "y", true);
        line([bbox.left, y], [bbox.left + bbox.width, y], colours.target, [6, 4]);
        for (const mark of marks) {
          const x = plot.valToPos(mark, "x", true);
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          line([x, bbox.top], [x, bbox.top + bbox.height], colours.mark, [2, 3]);
        }
      },
    },
  };
}

function options(holder, data, target, marks) {
  const colours = { value: colour("--accent"), ink: colour("--ink-soft"), line: colour("--line"), target: colour("--bad"), mark: colour("--warn") };
  const axis = { stroke: colours.ink, grid: { stroke: colours.line, width: 1 }, ticks: { stroke: colours.line }, font: `13px ${token("--sans")}` };
  const shown = data.slice(1).flat().filter((value) => value !== null);
  const low = Math.max(-1, Math.min(target, ...shown) - 0.03), high = Math.min(1, Math.max(target, ...shown) + 0.03);
  const first = data[0][0], last = data[0].at(-1);
  const range = last > first ? [first, last] : [first - HALF_HOUR_SECONDS, last + HALF_HOUR_SECONDS];
  const edge = { stroke: "transparent", points: { show: false } };
  const say = (_, value) => (value === null ? "–" : value.toFixed(3));
  return {
    width: holder.clientWidth,
    height: HEIGHT_PX,
    padding: [null, 30, null, null],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
    scales: { x: { time: true, range }, y: { range: [low, high] } },
    axes: [{ ...axis, values: timesOf, space: 90 }, { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => tick.toFixed(2)) }],
    series: [
      { label: "UTC", value: (_, at) => (at === null ? "–" : new Date(at * 1e3).toISOString().slice(0, 16).replace("T", " ")) },
      { label: "Running figure", stroke: colours.value, width: 2.5, value: say },
      { label: "Lower bound", value: say, ...edge },
      { label: "Upper bound", value: say, ...edge },
    ],
    bands: [{ series: [3, 2], fill: colours.value.replace("rgb(", "rgba(").replace(")", ", 0.18)") }],
    cursor: { drag: { x: false, y: false } },
    plugins: [linesPlugin(target, marks, colours)],
  };
}

function draw() {
  chart?.destroy();
  chart = null;
  const holder = document.querySelector("[data-course]"), table = document.getElementById("course-rows");
  if (!holder || !table) return;
  const data = pointsOf(table);
  const marks = [...document.querySelectorAll("[data-mark]")].map((mark) => Number(mark.dataset.mark));
  holder.hidden = false;
  for (const key of document.querySelectorAll("[data-course-key]")) key.hidden = false;
  chart = new uPlot(options(holder, data, Number(holder.dataset.target), marks), data, holder);
  // What the picture shows, the table says; a screen reader is spared the legend.
  holder.setAttribute("aria-hidden", "true");
}

const isNew = (change) => [...change.addedNodes].some((node) => node.id === "agreement" || node.id === "agreement-course");
new MutationObserver((changes) => { if (changes.some(isNew)) draw(); }).observe(document.getElementById("main"), { childList: true, subtree: true });
new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", () => {
  const holder = document.querySelector("[data-course]");
  if (chart && holder) chart.setSize({ width: holder.clientWidth, height: HEIGHT_PX });
});
draw();
