// Makes writing handier: a click on the map sets the place, and the reach follows the form. Nothing needs it.
const script = document.querySelector("script[data-reach]");
const form = document.getElementById("write");
const told = document.getElementById("reach-told");
const map = document.getElementById("pin-map");
const [latitude, longitude] = ["latitude", "longitude"].map((id) => document.getElementById(id));
document.documentElement.classList.add("js");
document.getElementById("show-reach").hidden = true;

// What the server's projection does, the other way round.
const [west, north, scale, shrink, left, top_, height] = form.dataset.frame.split(" ").map(Number);

function pinned(x, y) {
  const pin = map.querySelector(".pin");
  pin.style.display = "block";
  pin.style.left = `${x / 10}%`;
  pin.style.top = `${(y / height) * 100}%`;
}

map?.addEventListener("click", (event) => {
  const box = map.querySelector(".map svg").getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * 1000, y = ((event.clientY - box.top) / box.height) * height;
  if (x < 0 || y < 0 || x > 1000 || y > height) return;
  longitude.value = (west + (x - left) / (scale * shrink)).toFixed(6);
  latitude.value = (north - (y - top_) / scale).toFixed(6);
  // The position is this place's from now on, whatever it is called.
  document.getElementById("place-found").value = document.getElementById("place-name").value;
  pinned(x, y);
  soon();
});

for (const input of [latitude, longitude]) {
  input.addEventListener("change", () => {
    const lon = Number(longitude.value.replace(",", ".")), lat = Number(latitude.value.replace(",", "."));
    if (map && longitude.value && latitude.value) pinned(left + (lon - west) * scale * shrink, top_ + (north - lat) * scale);
    document.getElementById("place-found").value = document.getElementById("place-name").value;
  });
}

let timer, asked = 0;
function soon(after = 500) {
  clearTimeout(timer);
  timer = setTimeout(reach, after);
}

async function reach() {
  const mine = ++asked, body = new FormData(form);
  body.delete("picture");
  told.classList.add("busy");
  if (!told.querySelector(".reach-number")) told.textContent = told.dataset.counting;
  const answer = await fetch(script.dataset.reach, { method: "POST", body }).catch(() => null);
  if (mine !== asked) return;
  told.classList.remove("busy");
  if (!answer?.ok) { document.getElementById("show-reach").hidden = false; return; }
  const found = await answer.json();
  const template = document.createElement("template");
  template.innerHTML = found.html;
  told.replaceChildren(template.content);
  if (found.counting) soon(2500);
}

const COUNTS = new Set(["kind", "interests", "latitude", "longitude"]);
form.addEventListener("change", (event) => { if (COUNTS.has(event.target.name)) soon(); });
reach();
