// Labelling by keyboard. The page moves on when the server has said that the label is on disk, and not before.

const place = document.body.dataset;
const criteria = [...document.querySelectorAll("fieldset.criterion")];
const told = document.querySelector("#told");
const started = criteria.every(isDone); // corrections of a whole answer do not lead away from it
let now = 0;
let leaving = false;
let line = Promise.resolve();

// What one does while a label is being written waits for it: a key typed ahead is about what is then at hand.
function queue(work) {
  line = line.then(() => (leaving ? undefined : work()));
}

function isDone(criterion) {
  return !criterion.querySelector(".done").hidden;
}

function go(address) {
  if (!address) return;
  leaving = true;
  location.assign(address);
}

function turnTo(number, scroll = true) {
  if (!criteria.length) return;
  now = Math.min(Math.max(number, 0), criteria.length - 1);
  criteria.forEach((criterion, at) => criterion.classList.toggle("now", at === now));
  criteria[now].focus({ preventScroll: true });
  if (scroll) criteria[now].scrollIntoView({ block: "nearest" });
}

async function give(criterion, value) {
  told.textContent = "Saving …";
  const name = criterion.dataset.criterion;
  const reason = criterion.querySelector("textarea").value;
  let answer;
  try {
    const reply = await fetch("/label", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ number: Number(place.number), criterion: name, value, reason }),
    });
    answer = await reply.json();
  } catch {
    answer = { problem: "Not saved: the program does not answer. Start it again, and reload this page." };
  }
  told.classList.toggle("note", Boolean(answer.problem));
  told.classList.toggle("problem", Boolean(answer.problem));
  if (answer.problem) {
    // What is chosen must be what is on disk.
    criterion.querySelectorAll("input[type=radio]").forEach((input) => (input.checked = false));
    criterion.querySelector(".done").hidden = true;
    told.textContent = answer.problem;
    return;
  }
  criterion.querySelector(".done").hidden = false;
  told.textContent = `Saved: ${name} ${String(value).replace("_", " ")}. ${answer.done} answers done.`;
  place.undo = answer.undo ?? "";
  if (answer.complete && !started) return go(answer.next);
  const open = criteria.findIndex((one, at) => at > criteria.indexOf(criterion) && !isDone(one));
  turnTo(open >= 0 ? open : started ? criteria.indexOf(criterion) : criteria.findIndex((one) => !isDone(one)));
}

async function press(key) {
  if (isField(document.activeElement)) return; // the key before led there
  const level = levels().find((input) => input.dataset.key === key.toLowerCase());
  if (level) {
    level.checked = true;
    await give(level.closest("fieldset"), level.value);
  } else {
    steps[key]?.();
  }
}

function levels() {
  return [...(criteria[now]?.querySelectorAll("[data-key]") ?? [])];
}

function isField(node) {
  return node.matches("textarea, input[type=number]");
}

const steps = {
  ArrowUp: () => turnTo(now - 1),
  ArrowDown: () => turnTo(now + 1),
  ArrowLeft: () => go(place.before),
  ArrowRight: () => go(place.after),
  u: () => go(place.undo),
  r: () => criteria[now]?.querySelector("textarea").focus(),
  "?": () => document.querySelectorAll(".example").forEach((example) => (example.hidden = !example.hidden)),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const { target, key } = event;
  if (isField(target)) {
    if (key === "Escape") turnTo(now);
    if (key === "Enter" && target.type === "number" && target.value !== "") {
      event.preventDefault();
      queue(() => give(target.closest("fieldset"), target.value));
    }
    return;
  }
  if (!(key in steps) && !document.querySelector(`[data-key="${CSS.escape(key.toLowerCase())}"]`)) return;
  event.preventDefault();
  if (event.repeat && !key.startsWith("Arrow")) return; // a key held down is one label
  queue(() => press(key));
});

document.addEventListener("change", ({ target }) => {
  if (target.type === "radio") queue(() => give(target.closest("fieldset"), target.value));
});

document.addEventListener("focusin", (event) => {
  const criterion = event.target.closest?.("fieldset.criterion");
  if (criterion) {
    now = criteria.indexOf(criterion);
    criteria.forEach((one, at) => one.classList.toggle("now", at === now));
  }
});

// A reason that is written after the label goes to disk with it once the field is left.
for (const field of document.querySelectorAll("fieldset.criterion textarea")) {
  field.addEventListener("change", () => {
    const criterion = field.closest("fieldset");
    const given = criterion.querySelector("input:checked") ?? criterion.querySelector("input[type=number]");
    if (isDone(criterion) && given?.value) queue(() => give(criterion, given.value));
  });
}

const wanted = criteria.findIndex((criterion) => criterion.dataset.criterion === place.now);
const open = criteria.findIndex((criterion) => !isDone(criterion));
turnTo(wanted >= 0 ? wanted : Math.max(open, 0), wanted >= 0); // one reads the answer first
