// The text of a sample: built once per sample from templates, put on screen by a swap, gone when it is not needed.

export class Reading {
  #region;
  #templates = {};
  #built = new Map(); // assignment → element

  constructor(root) {
    this.#region = root.querySelector("[data-reading]");
    for (const template of root.querySelectorAll("template[data-template]")) {
      this.#templates[template.dataset.template] = template.content.firstElementChild;
    }
  }

  /** Return the turns of the text that the server has put on screen. */
  turnsOnPage() {
    return [...this.#region.querySelectorAll("[data-role]")].map((turn) => ({
      role: turn.dataset.role,
      number: Number(turn.querySelector("[data-turn-number]").textContent),
      text: turn.querySelector("[data-turn-text]").textContent,
    }));
  }

  /** Take over what the server has put on screen. */
  adopt(card) {
    this.#built.set(card.assignment, this.#region.firstElementChild);
  }

  /** Build a sample ahead of time and lay it out unseen, so that showing it is a matter of a class. */
  prepare(card) {
    if (this.#built.has(card.assignment)) return;
    const text = this.#build(card);
    text.classList.add("is-ahead");
    this.#built.set(card.assignment, text);
    this.#region.append(text);
  }

  show(card) {
    this.prepare(card);
    for (const [assignment, text] of this.#built) {
      text.classList.toggle("is-ahead", assignment !== card.assignment);
    }
  }

  toTop() {
    this.#region.scrollTop = 0;
  }

  /** Show the text that was covered; the card has its turns now. */
  uncover(card) {
    this.#drop(card.assignment);
    this.show(card);
  }

  /** Drop every text but those of these cards. */
  keepOnly(cards) {
    const wanted = new Set(cards.map((card) => card.assignment));
    for (const assignment of this.#built.keys()) {
      if (!wanted.has(assignment)) this.#drop(assignment);
    }
  }

  /** Take the text out of sight, in its place, while nobody is signed in. */
  set isHidden(hidden) {
    this.#region.classList.toggle("is-out-of-sight", hidden);
  }

  #drop(assignment) {
    this.#built.get(assignment)?.remove();
    this.#built.delete(assignment);
  }

  #build(card) {
    const text = document.createElement("div");
    text.className = "sample-text";
    if (!card.turns) {
      text.append(this.#templates.cover.cloneNode(true));
      return text;
    }
    if (card.is_window) text.append(windowNote(card.turns));
    const list = document.createElement("ol");
    list.className = "conversation";
    list.append(...card.turns.map((turn) => this.#turn(turn)));
    text.append(list);
    return text;
  }

  #turn({ role, number, text }) {
    const made = (this.#templates[role] ?? this.#templates.system).cloneNode(true);
    made.querySelector("[data-turn-number]").textContent = number;
    made.querySelector("[data-turn-text]").textContent = text;
    return made;
  }
}

function windowNote(turns) {
  const note = document.createElement("p");
  note.className = "muted";
  note.textContent = `A window of a longer session: turns ${turns[0]?.number} to ${turns.at(-1)?.number}.`;
  return note;
}
