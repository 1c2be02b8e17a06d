// The recording: two waveforms coloured by role, with findings, holds and silences as regions; one audio element.
import WaveSurfer from "../vendor/wavesurfer-8.0.1.esm.js";
import Regions from "../vendor/wavesurfer-regions-8.0.1.esm.js";

const COLOURS = {
  agent: ["#7f9fee", "#1d4ed8"], customer: ["#e0a366", "#9a4a00"], other: ["#9aa3ad", "#57606a"],
};
const REGIONS = {
  finding: "rgba(180,35,24,.30)", good: "rgba(20,108,58,.22)", hold: "rgba(133,87,0,.20)", silence: "rgba(87,96,106,.18)",
};
const AT_ONCE = 40;
const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2, 2.5];

export function samples(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return Float32Array.from(bytes, (value) => value / 255);
}

export class Player extends EventTarget {
  constructor(data, nonce) {
    super();
    this.data = data;
    this.audio = document.getElementById("audio");
    this.looped = null;
    this.skipping = false;
    this.wave = this.#drawn(nonce);
    this.audio.addEventListener("timeupdate", () => this.#moved());
    this.audio.addEventListener("seeked", () => this.#moved());
    for (const kind of ["play", "pause"]) this.audio.addEventListener(kind, () => this.#tell("state"));
    const step = () => {
      if (!this.audio.paused) this.#moved();
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  #drawn(nonce) {
    const { channels, duration, height } = this.data;
    const regions = Regions.create();
    const wave = WaveSurfer.create({
      container: "#wave", media: this.audio, duration: duration / 1000, peaks: channels.map((c) => samples(c.peaks)),
      height, cspNonce: nonce, cursorColor: "#1b1f24", cursorWidth: 2, barWidth: 2, barGap: 1, dragToSeek: true,
      waveColor: COLOURS[channels[0].role][0], progressColor: COLOURS[channels[0].role][1], plugins: [regions],
      splitChannels: channels.length < 2 ? undefined
        : channels.map((c) => ({ waveColor: COLOURS[c.role][0], progressColor: COLOURS[c.role][1], height })),
    });
    wave.once("redrawcomplete", () => {
      this.#tell("drawn");
      requestAnimationFrame(() => setTimeout(() => this.#mark(regions, [...this.data.regions])));
    });
    wave.on("interaction", (seconds) => this.seek(seconds * 1000));
    regions.on("region-clicked", (region, event) => {
      event.stopPropagation();
      this.seek(region.start * 1000);
      this.dispatchEvent(new CustomEvent("region", { detail: region.id }));
    });
    return wave;
  }

  // The waveform is seen first; a long call has hundreds of regions, laid over it a few at a time.
  #mark(regions, left) {
    for (const region of left.splice(0, AT_ONCE)) this.#marked(regions, region);
    if (left.length) setTimeout(() => this.#mark(regions, left));
    else this.#tell("marked");
  }

  #marked(regions, { id, kind, start, end, title }) {
    const made = regions.addRegion({
      id, start: start / 1000, end: Math.max(end, start + 150) / 1000, color: REGIONS[kind], drag: false, resize: false,
    });
    if (made?.element) made.element.title = title;
  }

  get now() { return Math.round(this.audio.currentTime * 1000); }
  get speed() { return this.audio.playbackRate; }

  #tell(name) { this.dispatchEvent(new Event(name)); }

  #moved() {
    const now = this.now;
    if (this.looped && (now >= this.looped.end || now < this.looped.start - 1500)) return this.seek(this.looped.start);
    if (this.skipping && !this.looped && !this.audio.paused) {
      const quiet = this.data.quiet.find(({ start, end }) => now >= start + 300 && now < end - 500);
      if (quiet) return this.seek(quiet.end - 400);
    }
    this.#tell("moved");
  }

  seek(ms) {
    const seconds = Math.max(0, Math.min(ms, this.data.duration - 1)) / 1000;
    this.audio.currentTime = seconds;
    this.wave.setTime(seconds);
    this.#tell("moved"); // before anything is played the browser says nothing of it
  }

  play() { return this.audio.play().catch(() => this.#tell("silent")); }
  toggle() { this.audio.paused ? this.play() : this.audio.pause(); }

  // Play from a little before; `end` given: round and round.
  listen(start, end, loop = false) {
    const from = Math.max(0, start - 600);
    this.looped = loop ? { start: from, end: Math.max(end, start + 400) + 400 } : null;
    this.#tell("state");
    this.seek(from);
    this.play();
  }

  unloop() {
    this.looped = null;
    this.#tell("state");
  }

  setSpeed(speed) {
    this.audio.playbackRate = speed;
    this.audio.preservesPitch = true;
    this.#tell("state");
  }

  step(direction) {
    const place = SPEEDS.indexOf(this.speed) + direction;
    if (SPEEDS[place]) this.setSpeed(SPEEDS[place]);
  }

  skip(on) {
    this.skipping = on;
    this.#tell("state");
  }
}
