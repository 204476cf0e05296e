// Makes the choices handier: clicks on the map, one's own position. Nothing needs it.
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
