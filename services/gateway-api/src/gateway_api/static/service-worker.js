// Shows what is pushed and opens its page on a click; keeps the pages and pictures that were read, for when
// there is no network: of one resident at a time, bounded, gone when they sign out or have all erased.
const OFFLINE = "kommunepuls-offline-2";
const READ = "kommunepuls-read-";
const STATIC = "kommunepuls-static-2";
const MOST = { pages: 40, pictures: 80, files: 60 };
const KEPT = /^\/($|feed$|messages$|items\/|m\/)/;
const ENDS = ["/sign-out", "/data/erase"];

const reader = (answer) => answer.headers.get("KP-Reader") ?? "nobody";

self.addEventListener("install", (event) => {
  event.waitUntil(prepare().then(() => self.skipWaiting()));
});

async function prepare() {
  const answer = await fetch("/offline", { cache: "reload", credentials: "omit" });
  const text = await answer.clone().text();
  await (await caches.open(OFFLINE)).put("/offline", answer);
  const files = await caches.open(STATIC);
  await Promise.all([...text.matchAll(/"(\/static\/[^"#]+)/g)].map(([, path]) => files.add(path).catch(() => undefined)));
}

self.addEventListener("activate", (event) => {
  const mine = (name) => name === OFFLINE || name === STATIC || name.startsWith(READ);
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => !mine(name)).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (request.method === "POST" && ENDS.includes(url.pathname)) event.respondWith(forget().then(() => fetch(request)));
    else if (request.method === "GET") event.respondWith(page(event, request, url));
  } else if (request.method === "GET" && url.pathname.startsWith("/pictures/")) {
    event.respondWith(picture(event, request));
  } else if (request.method === "GET" && url.pathname.startsWith("/static/") && url.search) {
    event.respondWith(kept(event, request, STATIC, MOST.files));
  }
});

async function forget(but) {
  const names = (await caches.keys()).filter((name) => name.startsWith(READ) && name !== but);
  await Promise.all(names.map((name) => caches.delete(name)));
}

// Where something belongs among what was read: without what only says how one came there.
function place(url) {
  const plain = new URL(url.origin + url.pathname);
  for (const name of ["kind", "area", "interest", "page", "show"]) {
    if (url.searchParams.get(name)) plain.searchParams.set(name, url.searchParams.get(name));
  }
  return plain.href;
}

async function page(event, request, url) {
  let answer;
  try {
    answer = await fetch(request);
  } catch {
    return (await read(url)) ?? await caches.match("/offline") ?? Response.error();
  }
  if (answer.ok && !answer.redirected && answer.type === "basic" && (answer.headers.get("Content-Type") ?? "").startsWith("text/html")) {
    const copy = answer.clone();
    event.waitUntil(keep(copy, url));
  }
  return answer;
}

async function keep(answer, url) {
  // Another resident at this browser, or nobody: what the one before read is gone.
  const name = READ + reader(answer);
  await forget(name);
  if (KEPT.test(url.pathname)) await put(name, place(url), answer, "pages", MOST.pages);
}

async function read(url) {
  const name = (await caches.keys()).find((one) => one.startsWith(READ));
  const found = name && await (await caches.open(name)).match(place(url));
  if (!found) return undefined;
  // The page says itself, in its language, that it is as it was.
  const text = (await found.text()).replace('id="kept" hidden', 'id="kept"');
  return new Response(text, { status: 200, headers: found.headers });
}

async function picture(event, request) {
  const name = (await caches.keys()).find((one) => one.startsWith(READ));
  return name ? kept(event, request, name, MOST.pictures) : fetch(request);
}

async function kept(event, request, name, most) {
  const found = await (await caches.open(name)).match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) {
    const copy = answer.clone();
    event.waitUntil(put(name, request.url, copy, name === STATIC ? "files" : "pictures", most));
  }
  return answer;
}

async function put(name, address, answer, sort, most) {
  const cache = await caches.open(name);
  await cache.delete(address);
  await cache.put(address, answer);
  const same = (await cache.keys()).filter((one) => name === STATIC || new URL(one.url).pathname.startsWith("/pictures/") === (sort === "pictures"));
  await Promise.all(same.slice(0, Math.max(same.length - most, 0)).map((one) => cache.delete(one)));
}

self.addEventListener("push", (event) => {
  let message = {};
  try { message = event.data?.json() ?? {}; } catch { message = { body: event.data?.text() ?? "" }; }
  event.waitUntil(self.registration.showNotification(message.title ?? "Kommunepuls", {
    body: message.body ?? "",
    tag: message.tag ?? message.item,
    lang: message.language,
    icon: "/static/icon-192.png",
    badge: "/static/icon-192.png",
    renotify: Boolean(message.tag ?? message.item),
    requireInteraction: ["severe", "extreme"].includes(message.severity),
    data: { url: message.url ?? "/feed" },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // Only our own pages are opened, whatever a message says.
  const url = new URL(event.notification.data?.url ?? "/feed", self.location.origin);
  const target = url.origin === self.location.origin ? url.href : new URL("/feed", self.location.origin).href;
  event.waitUntil(self.clients.matchAll({ type: "window", includeUncontrolled: true }).then((open) => {
    const client = open.find((one) => one.url === target) ?? open.find((one) => "navigate" in one);
    if (!client) return self.clients.openWindow(target);
    return client.url === target ? client.focus() : client.navigate(target).then((shown) => shown?.focus());
  }));
});
