// Keeps a page live. Without it the page shows what there was when it was opened.
// data-stream: the events; data-events: their names; data-parts: what is replaced; data-rows: what can be new.
const script = document.querySelector("script[data-stream]");
const live = document.getElementById("live");
const pause = document.getElementById("pause");
const news = document.getElementById("news");
const { stream, events, parts, rows } = script.dataset;
let source, position = "", timers = [], paused = false;

function show(state) {
  live.hidden = false;
  live.className = `live ${state === "live" ? "" : state}`;
  live.firstElementChild.textContent = live.dataset[state];
}

async function refresh() {
  // The server renders the page, in the reader's language; only what changed is put in place.
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const known = new Set([...document.querySelectorAll(rows)].map((row) => row.id));
  for (const row of fresh.querySelectorAll(rows)) if (!known.has(row.id)) row.classList.add("fresh");
  // Nothing is taken away from under somebody's fingers.
  if (document.activeElement?.closest(parts)) { news.hidden = false; return; }
  for (const open of document.querySelectorAll("details[id][open]")) fresh.getElementById(open.id)?.setAttribute("open", "");
  for (const part of parts.split(",")) {
    const before = document.querySelector(part), after = fresh.querySelector(part);
    if (before && after) before.replaceWith(after);
  }
  news.hidden = true;
}

function forget() {
  timers.forEach(clearTimeout);
}

function soon() {
  forget();
  // Events come as they are published; on a busy day the page's own data are some seconds behind them.
  timers = [700, 5000].map((milliseconds) => setTimeout(refresh, milliseconds));
}

function connect() {
  source = new EventSource(stream + (position ? `${stream.includes("?") ? "&" : "?"}after=${encodeURIComponent(position)}` : ""));
  source.onopen = () => show("live");
  source.onerror = () => show("lost");
  for (const name of events.split(" ")) {
    source.addEventListener(name, (event) => { position = event.lastEventId; soon(); });
  }
  source.addEventListener("position", (event) => { position = event.lastEventId; });
}

if ("EventSource" in window) {
  if (pause) {
    pause.hidden = false;
    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      if (paused) { source.close(); forget(); show("paused"); } else { connect(); }
    });
  }
  connect();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted && !paused) connect(); });
}
