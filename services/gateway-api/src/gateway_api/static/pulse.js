// Keeps the pulse live. Without it the page shows what there was when it was opened.
const script = document.querySelector("script[data-stream]");
const live = document.getElementById("live");
const pause = document.getElementById("pause");
const news = document.getElementById("news");
let source, position = "", timer, paused = false;

function show(state) {
  live.hidden = false;
  live.className = `live ${state === "live" ? "" : state}`;
  live.firstElementChild.textContent = live.dataset[state];
}

async function refresh() {
  // The server renders the list, in the reader's language; only what changed is put in place.
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const known = new Set([...document.querySelectorAll("#items > [id]")].map((row) => row.id));
  for (const row of fresh.querySelectorAll("#items > [id]")) if (!known.has(row.id)) row.classList.add("fresh");
  // Nothing is taken away from under somebody's fingers.
  if (document.activeElement?.closest("#items > [id], #town-map, .sensors")) { news.hidden = false; return; }
  for (const open of document.querySelectorAll(".sensors details[open]")) fresh.getElementById(open.id)?.setAttribute("open", "");
  for (const part of ["#town-map", "#items", ".sensors"]) {
    const before = document.querySelector(part), after = fresh.querySelector(part);
    if (before && after) before.replaceWith(after);
  }
  news.hidden = true;
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(refresh, 700);
}

function connect() {
  source = new EventSource(script.dataset.stream + (position ? `&after=${encodeURIComponent(position)}` : ""));
  source.onopen = () => show("live");
  source.onerror = () => show("lost");
  for (const name of ["item", "withdrawn", "reading", "reset"]) {
    source.addEventListener(name, (event) => { position = event.lastEventId; soon(); });
  }
  source.addEventListener("position", (event) => { position = event.lastEventId; });
}

if (script && "EventSource" in window) {
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    if (paused) { source.close(); clearTimeout(timer); show("paused"); } else { connect(); }
  });
  connect();
  addEventListener("pagehide", () => source.close());
}
