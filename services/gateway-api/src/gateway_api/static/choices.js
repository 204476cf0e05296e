// Makes the choices handier: clicks on the map, one's own position, notifications. Nothing needs it.
for (const shape of document.querySelectorAll("[data-area]")) {
  shape.addEventListener("click", () => document.getElementById(shape.dataset.area)?.click());
}

const here = document.getElementById("here");
if (here && "geolocation" in navigator) {
  here.hidden = false;
  here.addEventListener("click", () => navigator.geolocation.getCurrentPosition((found) => {
    document.getElementById("new-place-latitude").value = found.coords.latitude.toFixed(6);
    document.getElementById("new-place-longitude").value = found.coords.longitude.toFixed(6);
  }));
}

const push = document.getElementById("push");
const on = document.getElementById("push-on");

function say(name) {
  for (const text of push.querySelectorAll("[data-push]")) text.hidden = text.dataset.push !== name;
}

function bytes(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

async function register() {
  say("asking");
  const permission = await Notification.requestPermission();
  if (permission !== "granted") { say(permission === "denied" ? "blocked" : "asking"); return; }
  try {
    const worker = await navigator.serviceWorker.ready;
    const subscription = await worker.pushManager.getSubscription()
      ?? await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(push.dataset.key) });
    const answer = await fetch("/api/v1/push-subscriptions", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": push.dataset.csrf },
      body: JSON.stringify({ ...subscription.toJSON(), label: device() }),
    });
    say(answer.ok ? "done" : "failed");
    on.hidden = answer.ok;
  } catch { say("failed"); }
}

function device() {
  const agent = navigator.userAgent;
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => agent.includes(name)) ?? "";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) => agent.includes(name)) ?? "";
  return `${browser === "Edg" ? "Edge" : browser} ${system}`.trim();
}

if (push) {
  document.getElementById("push-off").hidden = true;
  const apple = /iPhone|iPad/.test(navigator.userAgent) && !matchMedia("(display-mode: standalone)").matches;
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
    say(apple ? "install" : "unsupported");
  } else {
    navigator.serviceWorker.register("/service-worker.js");
    if (Notification.permission === "denied") say("blocked");
    on.hidden = Notification.permission === "denied";
    on.addEventListener("click", register);
  }
}
