// The page of a census: asks statistics.json and nodes.json, and draws what they say. What nodes say of themselves is
// text and is put into the page as text, never as markup.
// @ts-check

const REFRESH_MS = 5_000;
const TEXT_FILTERS = ["network", "fork", "client", "capability"];
const DAY = 86_400;

/** @typedef {{groups: {value: string, count: number}[], others: number}} Distribution */

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const form = /** @type {HTMLFormElement} */ (byId("filters"));
/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

/**
 * @param {string} tag
 * @param {{[name: string]: string}} attributes
 * @param {(Node | string)[]} children
 */
function make(tag, attributes = {}, ...children) {
  const out = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) out.setAttribute(name, value);
  out.append(...children);
  return out;
}

const whole = new Intl.NumberFormat("en");
/** @param {number} part @param {number} all */
const share = (part, all) => (all === 0 ? "0 %" : `${((100 * part) / all).toFixed(1)} %`);

/** @param {number} seconds */
function span(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 2 * DAY ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / DAY)} days`;
}

// An empty text in a filter's field is no filter; that a value is missing is asked for by this word.
const NONE = "none";

function question() {
  const out = new URLSearchParams();
  for (const name of TEXT_FILTERS) {
    const value = field(name).value.trim();
    if (value !== "") out.set(name, value === NONE && name !== "capability" ? "" : value);
  }
  if (field("age").value !== "") {
    out.set("seen_since", String(Math.floor(Date.now() / 1000) - Number(field("age").value)));
  }
  if (field("alive").checked) out.set("min_score", "1");
  return out;
}

/** @param {string} path @param {URLSearchParams} asked */
async function ask(path, asked) {
  const answer = await fetch(`${path}?${asked}`, {cache: "no-store"});
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

/**
 * @param {string} name @param {number} count @param {number} largest @param {number} all
 * @param {string | null} filter of which a press sets it
 */
function barRow(name, count, largest, all, filter) {
  const label = make("span", {class: name === "" ? "name none" : "name"}, name === "" ? "does not say" : name);
  const bar = make("span", {class: "bar"});
  bar.style.width = `${largest === 0 ? 0 : (100 * count) / largest}%`;
  const parts = [label, make("span", {class: "count"}, `${whole.format(count)} `, make("small", {}, share(count, all))),
    make("span", {class: "track", "aria-hidden": "true"}, bar)];
  if (filter === null) return make("li", {}, make("div", {class: "row"}, ...parts));
  const wanted = name === "" ? NONE : name;
  const pressed = field(filter).value === wanted;
  const button = make("button", {class: "row", type: "button", "aria-pressed": String(pressed),
    "data-filter": filter, "data-value": wanted}, ...parts);
  button.addEventListener("click", () => {
    field(filter).value = pressed ? "" : wanted;
    changed();
  });
  return make("li", {}, button);
}

/** @param {string} title @param {HTMLElement[]} rows */
function chart(title, rows) {
  return make("section", {}, make("h2", {}, title),
    rows.length === 0 ? make("p", {class: "empty"}, "nothing") : make("ol", {}, ...rows));
}

/** @param {string} title @param {Distribution} told @param {number} all @param {string} filter */
function distribution(title, told, all, filter) {
  const largest = told.groups.reduce((most, group) => Math.max(most, group.count), told.others);
  const rows = told.groups.map((group) => barRow(group.value, group.count, largest, all, filter));
  if (told.others > 0) rows.push(barRow("all others", told.others, largest, all, null));
  return chart(title, rows);
}

/** @param {any} told */
function drawStatistics(told) {
  const totals = [["nodes", told.nodes], ["still there", told.alive], ["IPv4", told.ip4], ["IPv6", told.ip6]];
  byId("totals").replaceChildren(...totals.map(([name, count]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, whole.format(count)))));
  // Whoever is at a bar with the keyboard stays there.
  const at = /** @type {HTMLElement | null} */ (document.activeElement);
  const kept = at !== null && at.dataset.filter !== undefined ? [at.dataset.filter, at.dataset.value] : null;
  byId("charts").replaceChildren(
    distribution("Networks", told.networks, told.nodes, "network"),
    distribution("Clients", told.clients, told.nodes, "client"),
    distribution("Fork ids", told.forks, told.nodes, "fork"),
    distribution("Can do", told.capabilities, told.nodes, "capability"),
    chart("Seen within", told.seen_within.map((/** @type {{seconds: number, count: number}} */ one) =>
      barRow(span(one.seconds), one.count, told.nodes, told.nodes, null))));
  if (kept === null) return;
  for (const button of document.querySelectorAll("button.row")) {
    const data = /** @type {HTMLElement} */ (button).dataset;
    if (data.filter === kept[0] && data.value === kept[1]) /** @type {HTMLElement} */ (button).focus();
  }
}

/** @param {any} node */
function nodeRow(node) {
  const now = Date.now() / 1000;
  const address = [];
  if (node.ip !== null) address.push(`${node.ip}:${node.udp ?? "?"}`);
  if (node.ip6 !== null) address.push(`[${node.ip6}]:${node.udp6 ?? node.udp ?? "?"}`);
  const network = node.network ?? (node.fork_hash === null ? "" : node.fork_hash);
  return make("tr", {},
    make("td", {class: "mono", title: node.record}, `${node.id.slice(0, 8)}…${node.id.slice(-4)}`),
    make("td", {}, node.client ?? ""), make("td", {}, network), make("td", {}, node.capabilities),
    make("td", {class: "mono"}, address.join(" ")), make("td", {class: "number"}, String(node.score)),
    make("td", {title: new Date(node.last_seen * 1000).toISOString()},
      `${span(Math.max(0, Math.round(now - node.last_seen)))} ago`));
}

let after = "";
let next = /** @type {string | null} */ (null);
let turn = 0;

async function refresh() {
  const mine = ++turn;
  const state = byId("state");
  try {
    const asked = question();
    const rows = new URLSearchParams(asked);
    rows.set("limit", "50");
    rows.set("after", after);
    const [statistics, nodes] = await Promise.all([ask("statistics.json", asked), ask("nodes.json", rows)]);
    if (mine !== turn) return;  // asked anew since
    drawStatistics(statistics);
    byId("nodes").replaceChildren(...nodes.nodes.map(nodeRow));
    next = nodes.next;
    state.classList.remove("bad");
    state.textContent = statistics.newest === 0 ? "nobody was seen yet"
      : `somebody was last seen ${new Date(statistics.newest * 1000).toLocaleString("en-GB")}`;
  } catch (error) {
    if (mine !== turn) return;
    state.classList.add("bad");
    state.textContent = `no answer: ${error instanceof Error ? error.message : error}`;
  }
  /** @type {HTMLButtonElement} */ (byId("next")).disabled = next === null;
  /** @type {HTMLButtonElement} */ (byId("first")).disabled = after === "";
}

function changed() {
  after = "";
  void refresh();
}

form.addEventListener("input", changed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(changed));  // when its fields are empty
byId("next").addEventListener("click", () => {
  after = next ?? "";
  void refresh();
});
byId("first").addEventListener("click", changed);
setInterval(() => {
  if (document.visibilityState === "visible") void refresh();
}, REFRESH_MS);
void refresh();
