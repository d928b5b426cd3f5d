// Seconds of attention to one sample: the page is in view and the person did something within the last minute.

const IDLE_MS = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "touchmove"];

export class Clock {
  #active = 0;
  #lastSign = performance.now();
  #since = null; // since when time counts; null while the page is out of view

  constructor() {
    for (const sign of SIGNS) {
      document.addEventListener(sign, () => this.#note(), { capture: true, passive: true });
    }
    document.addEventListener("visibilitychange", () => this.#settle());
    this.restart();
  }

  /** Begin a sample, with what it took so far. */
  restart(seconds = 0) {
    this.#active = seconds * 1000;
    this.#since = document.hidden ? null : performance.now();
  }

  get seconds() {
    this.#settle();
    return Math.round(this.#active / 1000);
  }

  /** Milliseconds since the person last did something. */
  get idleMs() {
    return performance.now() - this.#lastSign;
  }

  #note() {
    this.#lastSign = performance.now();
    this.#settle();
  }

  #settle() {
    const now = performance.now();
    if (this.#since !== null) this.#active += Math.min(now - this.#since, IDLE_MS);
    this.#since = document.hidden ? null : now;
  }
}
