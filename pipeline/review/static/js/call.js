// The call page: player, transcript and scorecard together, by mouse and by keys.
import { keysFor, shown, keyOf } from "./keys.js";
import { tell } from "./page.js";
import { Player } from "./player.js";
import { Transcript } from "./transcript.js";

const data = JSON.parse(document.getElementById("call-data").textContent);
const nonce = document.querySelector("script[nonce]").nonce;
const player = new Player(data, nonce);
const transcript = new Transcript(document.getElementById("transcript"), player);
const byId = (id) => document.getElementById(id);

function clock(ms) {
  const tenths = Math.floor(ms / 100);
  return `${String(Math.floor(tenths / 600)).padStart(2, "0")}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

// --- controls

function state() {
  byId("play").setAttribute("aria-pressed", String(!player.audio.paused));
  byId("loop").setAttribute("aria-pressed", String(player.looped !== null));
  byId("skip").setAttribute("aria-pressed", String(player.skipping));
  byId("speed").value = String(player.speed);
}

player.addEventListener("moved", () => { byId("clock").textContent = `${clock(player.now)} / ${clock(data.duration)}`; });
player.addEventListener("state", state);
player.addEventListener("silent", () => tell(byId("audio").dataset.silent, true));
player.audio.addEventListener("error", () => tell(byId("audio").dataset.missing, true));
player.addEventListener("region", ({ detail }) => show(document.querySelector(`[data-finding="${CSS.escape(detail)}"]`)?.closest(".item") ?? byId("others")));
// Once a frame with the waveform is on the screen.
function drawn() {
  document.body.dataset.drawn = "yes";
  performance.mark("callscore-drawn");
}
player.addEventListener("drawn", () => requestAnimationFrame(() => setTimeout(drawn)), { once: true });
byId("play").addEventListener("click", () => player.toggle());
byId("skip").addEventListener("click", () => player.skip(!player.skipping));
byId("loop").addEventListener("click", loop);
byId("speed").addEventListener("change", (event) => player.setSpeed(Number(event.target.value)));

// --- the scorecard

let current = null;
const card = () => byId("card");
const items = () => [...card().querySelectorAll(".item")];
const item = () => items().find((each) => each.id === current) ?? null;

function show(one, focus = true) {
  if (!one) return;
  current = one.id;
  for (const each of items()) each.open = each === one;
  if (focus) one.querySelector("summary").focus({ preventScroll: true });
  one.scrollIntoView({ block: "nearest" });
}

function move(by) {
  const all = items();
  const place = all.findIndex((each) => each.id === current);
  show(all[Math.max(0, Math.min(all.length - 1, place + by))]);
}

function nextOpen() {
  const all = items();
  const place = all.findIndex((each) => each.id === current);
  const after = [...all.slice(place + 1), ...all.slice(0, place + 1)];
  show(after.find((each) => each.classList.contains("is-open")));
}

function evidence() {
  return item()?.querySelector(".finding.current") ?? item()?.querySelector(".finding [data-s]")?.closest(".finding");
}

function decisive() {
  const place = evidence()?.querySelector("[data-s]") ?? item()?.querySelector("summary [data-s]");
  if (place) listen(place);
}

function listen(place, round = false) {
  const start = Number(place.dataset.s);
  transcript.following = true;
  player.listen(start, Number(place.dataset.e), round);
  transcript.showAt(start);
}

function loop() {
  if (player.looped) return player.unloop();
  const place = evidence()?.querySelector("[data-s]");
  if (place) listen(place, true);
}

const press = (name) => () => item()?.querySelector(`[data-do="${name}"]`)?.click();
const pressOnFinding = (name) => () => evidence()?.querySelector(`[data-do="${name}"]`)?.click();

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-listen]");
  if (place) {
    event.preventDefault();
    const finding = place.closest(".finding");
    finding?.parentElement.querySelectorAll(".finding").forEach((each) => each.classList.toggle("current", each === finding));
    listen(place, event.shiftKey);
  }
});

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.(".item") && event.target.open) current = event.target.id;
}, true);
document.addEventListener("focusin", (event) => {
  const one = event.target.closest?.(".item");
  if (one) current = one.id;
});

// A finding is called false with a reason: the field is made when it is needed. There are hundreds of findings,
// and a browser looks at every form and field of a page before it is ready.
document.addEventListener("click", (event) => {
  const acts = event.target.closest("[data-reveal]")?.parentElement;
  if (!acts) return;
  const why = acts.querySelector(".why");
  if (why) return why.remove();
  acts.append(byId("why").content.cloneNode(true));
  window.htmx.process(acts.lastElementChild);
  acts.querySelector(".why input").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.isComposing && event.target.matches(".why input")) event.target.nextElementSibling.click();
});

// Forms outside the card send the version of the draft that is on the page.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.hasAttribute("data-close-after")) {
    event.detail.parameters.version = card().dataset.version;
    event.detail.elt.closest("dialog").close();
  }
});

// After a decision the card is drawn again: the same item stays open and focused.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "card" && event.target.id !== "card") return;
  const one = item();
  if (one) show(one, !document.activeElement || document.activeElement === document.body);
});

// --- findings and corrections from selected words

function withSelection(dialog, name) {
  const chosen = transcript.selected();
  if (!chosen) return tell(byId("transcript").dataset.select, true);
  const box = byId(dialog);
  if (!box) return;
  for (const field of ["start", "end", "role", "text"]) {
    const input = box.querySelector(`[name=${field}]`);
    if (input) input.value = chosen[field];
  }
  box.querySelector("[data-quote]").textContent = `${clock(chosen.start)} ${chosen.text}`;
  box.showModal();
  box.querySelector(name).focus();
}
byId("add-finding")?.addEventListener("click", () => withSelection("add-dialog", "select, input:not([type=hidden])"));
byId("correct-words")?.addEventListener("click", () => withSelection("words-dialog", "[name=corrected]"));

keysFor({
  play: () => player.toggle(), decisive, loop, slower: () => player.step(-1), faster: () => player.step(1),
  back: () => player.seek(player.now - 3000), forward: () => player.seek(player.now + 3000),
  skip: () => player.skip(!player.skipping), next: () => move(1), previous: () => move(-1), next_open: nextOpen,
  accept: press("accept"), not_applicable: press("not_applicable"), true: pressOnFinding("true"), false: pressOnFinding("false"),
  override: () => item()?.querySelector("[name=reason]")?.focus(), add: () => byId("add-finding")?.click(),
  level: (event) => item()?.querySelectorAll("[data-level]")[Number(event.key) - 1]?.click(),
  undo: () => byId("undo")?.click(), submit: () => byId("submit")?.click(), note: () => byId("note")?.focus(),
  next_call: () => byId("next-call")?.click(),
});
for (const button of document.querySelectorAll("[data-key-hint]")) button.title += ` (${shown(keyOf(button.dataset.keyHint))})`;

const start = Number(new URLSearchParams(location.search).get("at"));
if (start) { player.seek(start); transcript.showAt(start); }
state();
byId("clock").textContent = `${clock(start || 0)} / ${clock(data.duration)}`;
