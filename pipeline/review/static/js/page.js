// Every page: the token on each request, dialogs, notices that can be closed, and the keys.
import { explainKeys, keysFor } from "./keys.js";

const token = document.querySelector("meta[name=csrf]").content;

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token;
});

document.addEventListener("htmx:sendError", () => tell(document.getElementById("notice").dataset.offline, true));

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  if (event.target.closest("[data-dismiss]")) event.target.closest(".notice").remove();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  if (event.target.dataset.picks) document.getElementById(event.target.dataset.picks).checked = true;
});

export function tell(text, bad = false) {
  const notice = document.createElement("div");
  notice.className = bad ? "notice bad" : "notice";
  notice.textContent = text;
  document.getElementById("notice").replaceChildren(notice);
}

if (document.getElementById("keys")) {
  explainKeys();
  keysFor({
    help: () => document.getElementById("keys").showModal(),
    queue: () => location.assign("/queue"),
  });
}
