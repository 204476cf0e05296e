// Makes onboarding handier: clicks on the map, circles and figures that follow, a filter. Nothing needs it.
import "./choices.js";

const form = document.getElementById("start");
const language = document.documentElement.lang;
const card = document.querySelector("[data-units]");
const town = form.elements.municipality.value;
const waiting = new Map();

function soon(name, act) {
  clearTimeout(waiting.get(name));
  waiting.set(name, setTimeout(act, 250));
}

async function ask(choices, shown) {
  const answer = await fetch(`/api/v1/preview?language=${language}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ municipality: town, every_interest: true, choices }),
  });
  if (answer.ok) shown.textContent = (await answer.json()).text;
}

function placeOf(row) {
  const { place, longitude, latitude } = row.dataset;
  const radius = Number(row.querySelector("[type=range]").value);
  return { id: place, longitude: Number(longitude), latitude: Number(latitude), radius_metres: radius };
}

function distance(metres) {
  const [value, unit, digits] = metres < 1000 ? [metres, "meter", 0] : [metres / 1000, "kilometer", metres < 2000 ? 2 : 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: digits }).format(value);
}

function tally() {
  const areas = [...form.querySelectorAll("[name=areas]:checked")].map((one) => one.value);
  document.getElementById("chosen").textContent = areas.length;
  const places = [...form.querySelectorAll("[data-place]")].map(placeOf);
  soon("all", () => ask({ areas, places }, document.getElementById("often")));
}

for (const row of form.querySelectorAll("[data-place]")) {
  const slider = row.querySelector("[type=range]");
  const disc = document.querySelector(`[data-circle="${CSS.escape(row.dataset.place)}"] circle`);
  // What moves by itself needs no button.
  row.querySelector("[value=show]").hidden = true;
  slider.addEventListener("input", () => {
    const place = placeOf(row);
    const said = distance(place.radius_metres);
    row.querySelector("output").textContent = said;
    slider.setAttribute("aria-valuetext", said);
    disc?.setAttribute("r", place.radius_metres / 1000 * card.dataset.units);
    soon(place.id, () => ask({ places: [place] }, row.querySelector("[data-often]")));
    tally();
  });
}
if (document.getElementById("chosen")) form.addEventListener("change", (event) => { if (event.target.name === "areas") tally(); });

const search = document.getElementById("search");
if (search && "complete" in search.dataset) {
  document.getElementById("seek").hidden = true;
  const rows = [...document.querySelectorAll("#organisers .choice")];
  search.addEventListener("input", () => {
    const wanted = search.value.toLocaleLowerCase(language).split(/\s+/);
    for (const row of rows) {
      const name = row.querySelector("span").textContent.toLocaleLowerCase(language);
      row.hidden = !wanted.every((word) => name.includes(word)) && !row.querySelector(":checked");
    }
    const text = document.getElementById("found");
    text.textContent = search.value ? `${rows.filter((row) => !row.hidden).length} / ${rows.length}` : "";
  });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
}
