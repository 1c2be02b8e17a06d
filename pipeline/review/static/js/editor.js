// The text of a rule: line numbers beside it, faults marked at their lines, Tab for two blanks.
const text = document.getElementById("text");
const gutter = document.querySelector(".gutter");
const faults = document.getElementById("checked");
const INDENT = "  ";
let leaving = false;

function number() {
  const lines = text.value.split("\n").length;
  if (gutter.childElementCount !== lines) {
    gutter.replaceChildren(...Array.from({ length: lines }, (_, n) => {
      const line = document.createElement("div");
      line.textContent = n + 1;
      return line;
    }));
  }
  mark();
}

function mark() {
  for (const line of gutter.querySelectorAll(".error, .warning")) line.className = "";
  for (const fault of faults.querySelectorAll("[data-fault-line]")) {
    const line = gutter.children[Number(fault.dataset.faultLine) - 1];
    if (line && line.className !== "error") line.className = fault.dataset.fault;
  }
  gutter.scrollTop = text.scrollTop;
}

function goTo(line) {
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
  text.scrollTop = (line - 4) * parseFloat(getComputedStyle(text).lineHeight);
  text.scrollLeft = 0;
}

// Through the browser's own editing, so that undo still works.
function indent(back) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const first = value.lastIndexOf("\n", from - 1) + 1;
  if (from === to && !back) return document.execCommand("insertText", false, INDENT);
  const chosen = value.slice(first, to);
  const moved = back ? chosen.replace(/^ {1,2}/gm, "") : chosen.replace(/^(?=.)/gm, INDENT);
  if (moved === chosen) return;
  text.setSelectionRange(first, to);
  document.execCommand("insertText", false, moved);
  text.setSelectionRange(from === to ? Math.max(first, from - (chosen.length - moved.length)) : first, first + moved.length);
  if (from === to) text.selectionEnd = text.selectionStart;
}

text.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") {
    leaving = true;
    event.stopPropagation();
  } else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    indent(event.shiftKey);
  } else if (event.key !== "Shift" && event.key !== "Tab") {
    leaving = false;
  }
});
text.addEventListener("blur", () => { leaving = false; });
text.addEventListener("input", number);
text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
document.addEventListener("htmx:afterSwap", mark);
document.addEventListener("click", (event) => {
  const to = event.target.closest("[data-line]");
  if (to) goTo(Number(to.dataset.line));
});

let saved = text.value;
document.getElementById("editor-form").addEventListener("submit", () => { saved = text.value; });
addEventListener("beforeunload", (event) => { if (text.value !== saved) event.preventDefault(); });
number();
