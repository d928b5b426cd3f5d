// Seconds of attention: the page is in view and the person did something within the last minute.

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
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#settle() : this.#note()));
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

  /** Return the whole seconds since the last take; what is less than one is kept for the next. */
  take() {
    this.#settle();
    const seconds = Math.floor(this.#active / 1000);
    this.#active -= seconds * 1000;
    return seconds;
  }

  /** Milliseconds since the person last did something. */
  get idleMs() {
    return performance.now() - this.#lastSign;
  }

  #note() {
    this.#settle();
    this.#lastSign = performance.now();
  }

  // However often it is read: beyond a minute after the last sign nothing counts.
  #settle() {
    const now = performance.now();
    if (this.#since !== null) {
      this.#active += Math.max(0, Math.min(now, this.#lastSign + IDLE_MS) - this.#since);
    }
    this.#since = document.hidden ? null : now;
  }
}
