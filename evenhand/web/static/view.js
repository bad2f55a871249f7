// Filters become an address, and a page follows the run that it shows. No text is ever read as markup here:
// what is new comes as a page from our own server, which has escaped it, and its parts are put in place of the old.

const EVERY = 2000; // milliseconds between two looks

for (const form of document.querySelectorAll("form[data-filters]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = [...new FormData(form)].filter(([, value]) => value !== "");
    // Where a text is searched says nothing without the text.
    const kept = said.filter(([name]) => name !== "where" || said.some(([other]) => other === "search"));
    const query = new URLSearchParams(kept).toString();
    location.assign(form.dataset.filters + (query ? `?${query}` : ""));
  });
}

// On a phone the answers come first.
const filters = document.querySelector("details.filters");
if (filters && matchMedia("(max-width: 40rem)").matches) filters.open = false;

const { at } = document.body.dataset;

async function look() {
  if (document.hidden) return;
  const told = await fetch(`${at}/stamp`);
  if (!told.ok) return;
  const { stamp } = await told.json();
  if (stamp !== document.body.dataset.stamp) await follow();
}

async function follow() {
  const told = await fetch(location.href);
  if (!told.ok) return;
  const page = new DOMParser().parseFromString(await told.text(), "text/html");
  document.querySelector("#growing").hidden = page.querySelector("#growing").hidden;
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || fresh.isEqualNode(old)) continue;
    // Whoever reads or has the focus here keeps it: the old part stays until they have moved on.
    if (old.contains(document.activeElement) || !getSelection().isCollapsed) return;
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    old.replaceWith(document.adoptNode(fresh));
    [...fresh.querySelectorAll("details")].forEach((details, place) => (details.open = open[place] ?? details.open));
  }
  document.body.dataset.stamp = page.body.dataset.stamp;
}

async function watch() {
  try {
    await look();
  } catch {
    // The server has ended, or starts again: the next look tells.
  }
  setTimeout(watch, EVERY);
}

if (at) setTimeout(watch, EVERY);
