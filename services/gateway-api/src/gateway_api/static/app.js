// Makes the pages an app: what was read is there without network, and pushes arrive.
if ("serviceWorker" in navigator) navigator.serviceWorker.register("/service-worker.js");
