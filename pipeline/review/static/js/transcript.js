// The transcript: a click on a word seeks, the current word follows, a selection gives a stretch of time.

export class Transcript {
  constructor(pane, player) {
    this.pane = pane;
    this.player = player;
    this.current = null;
    this.following = true;
    pane.addEventListener("click", (event) => this.#clicked(event));
    pane.addEventListener("wheel", () => { this.following = false; }, { passive: true });
    player.addEventListener("moved", () => this.#follow());
    player.addEventListener("state", () => { if (!player.audio.paused) this.following = true; });
  }

  // Thousands of words, read when one is first looked for.
  get words() {
    this.known ??= [...this.pane.querySelectorAll(".w")].map((element) => ({
      element, start: Number(element.dataset.s), end: Number(element.dataset.e),
    })).sort((a, b) => a.start - b.start);
    return this.known;
  }

  #clicked(event) {
    const place = event.target.closest(".w, .at");
    if (!place || !getSelection().isCollapsed) return;
    this.following = true;
    this.player.unloop();
    this.player.seek(Number(place.dataset.s));
  }

  #at(now) {
    let low = 0, high = this.words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.words[middle].start <= now) low = middle + 1;
      else high = middle;
    }
    const word = this.words[low - 1];
    return word && now < word.end + 400 ? word.element : null;
  }

  #follow() {
    const word = this.#at(this.player.now);
    if (word === this.current) return;
    this.current?.classList.remove("now");
    this.current?.closest(".turn").classList.remove("now");
    this.current = word;
    if (!word) return;
    word.classList.add("now");
    word.closest(".turn").classList.add("now");
    if (this.following) this.show(word);
  }

  show(word) {
    const box = word.getBoundingClientRect(), frame = this.pane.getBoundingClientRect();
    if (box.top < frame.top + 24 || box.bottom > frame.bottom - 40) word.closest(".turn").scrollIntoView({ block: "center" });
  }

  showAt(ms) {
    const word = this.#at(ms + 50) ?? this.words.find(({ start }) => start >= ms)?.element;
    if (word) word.closest(".turn").scrollIntoView({ block: "center" });
  }

  // The words that are selected: their time and text; null where nothing or more than one turn is.
  selected() {
    const selection = getSelection();
    if (selection.isCollapsed || !this.pane.contains(selection.anchorNode)) return null;
    const range = selection.getRangeAt(0);
    const chosen = this.words.filter(({ element }) => range.intersectsNode(element));
    if (!chosen.length) return null;
    const turns = new Set(chosen.map(({ element }) => element.closest(".turn")));
    if (turns.size > 1) return null;
    return {
      start: Math.min(...chosen.map((w) => w.start)), end: Math.max(...chosen.map((w) => w.end)),
      text: chosen.map(({ element }) => element.textContent).join(""), role: chosen[0].element.closest(".turn").dataset.role,
    };
  }
}
