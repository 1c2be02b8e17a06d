// What is looked for is kept behind the # of the address: back and forward work, and no server ever sees it.
const form = document.getElementById("search");
const KEPT = ["text", "sound", "role", "agent", "business", "rule", "least", "most", "since", "until", "after"];
let going = false;

function asked() {
  const given = new FormData(form);
  return new URLSearchParams(KEPT.filter((name) => given.get(name)).map((name) => [name, given.get(name)])).toString();
}

function fill() {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const name of KEPT) {
    const field = form.elements[name];
    if (field.type === "checkbox") field.checked = kept.get(name) === "1";
    else field.value = kept.get(name) ?? "";
  }
  return [...kept.keys()].length > 0;
}

function send(after) {
  going = true;
  form.elements.after.value = after;
  form.requestSubmit();
}

form.addEventListener("submit", () => {
  if (!going) form.elements.after.value = "";
  going = false;
  const now = `#${asked()}`;
  if (now !== location.hash) history.pushState(null, "", now);
}, { capture: true });

document.getElementById("results").addEventListener("click", (event) => {
  const button = event.target.closest("[data-after]");
  if (!button) return;
  send(button.dataset.after);
  scrollTo(0, 0);
});

document.getElementById("clear").addEventListener("click", () => location.assign("/search"));
addEventListener("popstate", () => (fill() ? send(form.elements.after.value) : location.reload()));

if (location.hash.length > 1 && fill()) addEventListener("load", () => send(form.elements.after.value));
