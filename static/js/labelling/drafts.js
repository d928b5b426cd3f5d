// Half-done answers are kept on the server: after a moment of quiet, and when the page goes out of view.

const QUIET_MS = 2_000;

export class Drafts {
  #kept = ""; // what the server has, or what stood there when the sample came on screen
  #timer = null;
  #last = Promise.resolve(); // one at a time: an older draft never overtakes a newer one
  #current;
  #send;
  #onKept;

  /** `current` returns {assignment, answers, note} or null; `send` stores it; `onKept` hears when. */
  constructor({ current, send, onKept }) {
    this.#current = current;
    this.#send = send;
    this.#onKept = onKept;
  }

  /** A sample came on screen; `isStored` says whether the server knows what stands there. */
  begin(isStored = true) {
    clearTimeout(this.#timer);
    this.#kept = isStored ? this.#text() : "";
  }

  /** Something was answered or written. */
  touch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), QUIET_MS);
  }

  get isDirty() {
    return this.#text() !== this.#kept;
  }

  /** Keep it now, if there is anything new. */
  async flush({ keepalive = false } = {}) {
    clearTimeout(this.#timer);
    const draft = this.#current();
    const text = this.#text();
    if (!draft || text === this.#kept) return;
    if (!(await this.keep(draft, { keepalive }))) return; // the next change tries again
    if (this.#current()?.assignment === draft.assignment) this.#kept = text;
    this.#onKept();
  }

  /** Keep {assignment, answers, note}; say whether the server took it. */
  keep(draft, options = {}) {
    // A page that goes away cannot wait for its turn.
    const turn = options.keepalive ? Promise.resolve() : this.#last;
    this.#last = turn.then(() => this.#send(draft, options));
    return this.#last.then(({ status }) => status === 204);
  }

  #text() {
    const draft = this.#current();
    return draft ? JSON.stringify([draft.assignment, draft.answers, draft.note]) : "";
  }
}
