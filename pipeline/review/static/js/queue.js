// The queue: choose all, choose what may be accepted as it is; keys for the next call.
import { keysFor } from "./keys.js";

const boxes = () => [...document.querySelectorAll("input[name=call][type=checkbox]")];

document.getElementById("all")?.addEventListener("change", (event) => {
  for (const box of boxes()) box.checked = event.target.checked;
});
document.getElementById("pick-acceptable")?.addEventListener("click", () => {
  for (const box of boxes()) box.checked = box.hasAttribute("data-acceptable");
});
// A button in a row speaks for its own row only.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-alone]")) for (const box of boxes()) box.checked = false;
});

const links = () => [...document.querySelectorAll(".queue tbody a strong")].map((name) => name.parentElement);
function move(by) {
  const all = links();
  const place = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, place + by))]?.focus();
}
keysFor({ next_call: () => document.getElementById("next-call")?.click(), next: () => move(1), previous: () => move(-1) });
