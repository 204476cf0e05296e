// Brings what is shown up to date every ten seconds. Without it one loads the page again.
const live = document.getElementById("live");
const EVERY = 10_000;

function show(state) {
  live.hidden = false;
  live.className = `live ${state === "live" ? "" : state}`;
  live.firstElementChild.textContent = live.dataset[state];
}

async function refresh() {
  // Nobody looks, or somebody's hand is on it: nothing is taken away from under it.
  const before = document.getElementById("fresh");
  if (document.hidden || before.contains(document.activeElement)) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    // Signed out meanwhile: the page of the sign-in is another one.
    if (answer.redirected) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("fresh");
    const open = [...before.querySelectorAll("details")].map((one) => one.open);
    [...fresh.querySelectorAll("details")].forEach((one, index) => { one.open = open[index] ?? false; });
    before.replaceWith(fresh);
    show("live");
  } catch { show("lost"); }
}

if (live) {
  show("live");
  setInterval(refresh, EVERY);
}
