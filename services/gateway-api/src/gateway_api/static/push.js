// Notifications in this browser: permission is asked on a click, and each state has its own words.
const push = document.getElementById("push");
const on = document.getElementById("push-on");
const test = document.getElementById("push-test");
// Before signing up only the permission is asked for; the browser is registered afterwards.
const later = "later" in push.dataset;
let endpoint = "";

function say(name) {
  for (const text of push.querySelectorAll("[data-push]")) text.hidden = text.dataset.push !== name;
  on.hidden = ["done", "tested", "allowed", "blocked", "install", "unsupported"].includes(name);
  test.hidden = !["done", "tested"].includes(name);
}

function bytes(text) {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "="));
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

function send(address, body) {
  return fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": push.dataset.csrf },
    body: body && JSON.stringify(body),
  });
}

async function turnOn() {
  say("asking");
  const permission = await Notification.requestPermission();
  if (permission !== "granted") return say(permission === "denied" ? "blocked" : "needed");
  if (later) return say("allowed");
  try {
    const worker = await navigator.serviceWorker.ready;
    const subscription = await worker.pushManager.getSubscription()
      ?? await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(push.dataset.key) });
    const answer = await send("/api/v1/push-subscriptions", { ...subscription.toJSON(), label: device() });
    if (answer.ok) endpoint = (await answer.json()).id;
    say(answer.ok ? "done" : "failed");
    if (answer.ok) test.focus();
  } catch { say("failed"); }
}

async function tryOut() {
  try { say((await send(`/api/v1/endpoints/${endpoint}/test`)).ok ? "tested" : "failed"); } catch { say("failed"); }
}

function device() {
  const agent = navigator.userAgent;
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => agent.includes(name)) ?? "";
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((name) => agent.includes(name)) ?? "";
  return `${browser === "Edg" ? "Edge" : browser} ${system}`.trim();
}

document.getElementById("push-off").hidden = true;
const apple = /iPhone|iPad/.test(navigator.userAgent) && !matchMedia("(display-mode: standalone)").matches;
if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
  say(apple ? "install" : "unsupported");
} else {
  navigator.serviceWorker.register("/service-worker.js");
  const permission = Notification.permission;
  say(permission === "denied" ? "blocked" : permission === "default" ? "needed" : later ? "allowed" : "");
  on.addEventListener("click", turnOn);
  test.addEventListener("click", tryOut);
}
