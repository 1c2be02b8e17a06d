// Keys by what they do. They can be changed and switched off (kept in this browser), and none fires while an
// input method composes or while a person types.
const DEFAULTS = {
  help: "?", play: " ", decisive: "l", loop: "r", back: "ArrowLeft", forward: "ArrowRight", slower: "[", faster: "]",
  skip: ".", next: "j", previous: "k", next_open: "o", accept: "a", override: "e", not_applicable: "n", true: "t",
  false: "f", add: "m", note: "b", undo: "u", submit: "s", next_call: "g", queue: "q",
};
const ARROWS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const KEPT = "callscore.keys", SWITCH = "callscore.keys.off";
const actions = {};
let choosing = null;

function kept() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) || "{}");
    return Object.fromEntries(Object.entries(found).filter(([name, key]) => name in DEFAULTS && typeof key === "string"));
  } catch {
    return {};
  }
}

export function keyOf(name) {
  return kept()[name] ?? DEFAULTS[name];
}

export const areOn = () => localStorage.getItem(SWITCH) !== "yes";

// Actions by name; a function gets the event.
export function keysFor(table) {
  Object.assign(actions, table);
}

const typing = (element) => element.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]");

function pressed(event) {
  if (event.isComposing || event.keyCode === 229) return;
  if (choosing) return choose(event);
  if (event.key === "Escape" && typing(event.target)) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || !areOn()) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === " " && event.target.closest("button, a, input")) return;
  const digit = /^[1-9]$/.test(event.key) && actions.level;
  const name = Object.keys(DEFAULTS).find((each) => keyOf(each) === event.key);
  const act = digit ? actions.level : actions[name];
  if (!act) return;
  event.preventDefault();
  act(event);
}

function choose(event) {
  event.preventDefault();
  event.stopPropagation();
  const name = choosing;
  choosing = null;
  const taken = Object.keys(DEFAULTS).some((each) => each !== name && keyOf(each) === event.key);
  const allowed = event.key.length === 1 || event.key.startsWith("Arrow");
  if (allowed && !taken && !/^[1-9]$/.test(event.key)) {
    localStorage.setItem(KEPT, JSON.stringify({ ...kept(), [name]: event.key }));
  }
  list();
}

// As a person reads it: arrows as arrows, the space bar in the language of the page.
export function shown(key) {
  if (key === " ") return document.getElementById("keys").dataset.space;
  return ARROWS[key] ?? key;
}

function list() {
  const titles = document.getElementById("key-names").content.querySelectorAll("[data-key]");
  const rows = [...titles].map((title) => {
    const row = document.createElement("tr");
    const name = row.insertCell();
    name.textContent = title.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = shown(keyOf(title.dataset.key));
    button.setAttribute("aria-label", `${title.textContent} ${button.textContent}`);
    button.addEventListener("click", () => {
      choosing = title.dataset.key;
      button.classList.add("waiting");
      button.textContent = "…";
    });
    row.insertCell().append(button);
    return row;
  });
  document.getElementById("keys-list").replaceChildren(...rows);
}

// Fill the dialog that lists the keys, and let it change them.
export function explainKeys() {
  list();
  const on = document.getElementById("keys-on");
  on.checked = areOn();
  on.addEventListener("change", () => localStorage.setItem(SWITCH, on.checked ? "no" : "yes"));
  document.getElementById("keys-reset").addEventListener("click", () => {
    localStorage.removeItem(KEPT);
    list();
  });
  document.addEventListener("keydown", pressed, true);
}
