// Shows what is pushed, opens its page on a click, and an offline page without network.
const CACHE = "kommunepuls-1";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add("/offline")).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate") return;
  event.respondWith(fetch(event.request).catch(() => caches.match("/offline")));
});

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
    const client = open.find((one) => "navigate" in one);
    return client ? client.navigate(target).then((shown) => shown?.focus()) : self.clients.openWindow(target);
  }));
});
