"use strict";

/* The value by which a cell sorts: its number where it has one, else its words; null where there is none. */
function sortValue(cell) {
  if (!("value" in cell.dataset)) return cell.textContent;
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function compare(a, b) {
  return typeof a === "number" ? a - b : a.localeCompare(b);
}

function heads(table) {
  return Array.from(table.querySelectorAll("th[data-key]"));
}

function sortBy(table, head, descending) {
  const place = heads(table).indexOf(head);
  const body = table.tBodies[0];
  const rows = Array.from(body.rows).map((row) => ({ row: row, value: sortValue(row.cells[place]) }));
  const known = rows.filter((item) => item.value !== null);
  const unknown = rows.filter((item) => item.value === null); // what has no value stands last, whatever the direction
  known.sort((a, b) => (descending ? compare(b.value, a.value) : compare(a.value, b.value)));
  known.concat(unknown).forEach((item) => body.appendChild(item.row));
  heads(table).forEach((other) => other.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

/* A field of a CSV file, quoted where it must be (RFC 4180). */
function csvField(text) {
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function csv(table) {
  const lines = [heads(table).map((head) => head.dataset.key)];
  for (const row of table.tBodies[0].rows) {
    lines.push(Array.from(row.cells).map((cell) => ("value" in cell.dataset ? cell.dataset.value : cell.textContent)));
  }
  return lines.map((line) => line.map(csvField).join(",")).join("\r\n") + "\r\n";
}

function save(table) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv(table)], { type: "text/csv;charset=utf-8" }));
  link.download = document.title.replace(/[^A-Za-z0-9._-]+/g, "-") + "-" + table.id + ".csv";
  link.click();
  URL.revokeObjectURL(link.href);
}

function prepareTables() {
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const head of heads(table)) {
      head.querySelector("button").addEventListener("click", () => {
        sortBy(table, head, head.getAttribute("aria-sort") === "ascending");
      });
    }
  }
  for (const button of document.querySelectorAll("button.download")) {
    button.addEventListener("click", () => save(document.getElementById(button.dataset.table)));
  }
}

/* #sort=NAME sorts the tables by that column, #sort=-NAME the other way round: a sorted view can be linked to. */
function sortAsAddressed() {
  const asked = new URLSearchParams(window.location.hash.slice(1)).get("sort");
  if (!asked) return;
  const descending = asked.startsWith("-");
  const key = descending ? asked.slice(1) : asked;
  for (const table of document.querySelectorAll("table.sortable")) {
    const head = heads(table).find((candidate) => candidate.dataset.key === key);
    if (head) sortBy(table, head, descending);
  }
}

/* The library is stored compressed, which makes the file a third as large. */
async function loadPlotly() {
  const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (letter) => letter.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(unpacked).text();
  document.head.append(script);
}

function drawFigures() {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
    /* plotly.js would offer to upload a figure to its makers' cloud; a report is its readers' own business. */
    showSendToCloud: false,
    plotlyServerURL: "",
  };
  return Promise.all(figures.map((figure) => Plotly.newPlot(figure.id, figure.data, figure.layout, config)));
}

/* A browser cuts off what is much wider than the paper, so wide tables are made smaller. Their width in print follows from
   that on the screen by the ratio of the fonts; the paper is Letter or A4, landscape, within its margins. */
const PRINTED_FONT = 7.5 / 10.5;
const PAPER_WIDTH = 960;
function fitTables(printing) {
  for (const table of document.querySelectorAll("table")) {
    table.style.zoom = "";
    const share = PAPER_WIDTH / (PRINTED_FONT * table.offsetWidth);
    if (printing && share < 1) table.style.zoom = share;
  }
}

prepareTables();
sortAsAddressed();
window.addEventListener("beforeprint", () => fitTables(true));
window.addEventListener("afterprint", () => fitTables(false));
window.addEventListener("hashchange", sortAsAddressed);
const drawn = loadPlotly().then(drawFigures);
drawn.then((plots) => {
  /* Paper is narrower than the screen: figures are drawn anew at its width. */
  const printed = window.matchMedia("print");
  const fit = () => plots.forEach((plot) => Plotly.Plots.resize(plot));
  printed.addEventListener("change", fit);
  window.addEventListener("beforeprint", fit);
  window.addEventListener("afterprint", fit);
  document.documentElement.dataset.report = "ready";
});
