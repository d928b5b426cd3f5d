// The questions of a sample: which apply, what is answered, which one is active and what is missing.

const chosen = (question) => question.inputs.filter((input) => input.checked).map((input) => input.value);

function read(element) {
  const { question: key, scale, prompt = "", max, excludes, dependsOn, atLeast, oneOf, isSet, title } = element.dataset;
  return {
    element,
    key,
    scale,
    title,
    prompt,
    isRequired: "prompt" in element.dataset,
    max: Number(max) || Infinity,
    excludes,
    condition: dependsOn ? { dependsOn, atLeast, oneOf: oneOf ? oneOf.split(" ") : [], isSet } : null,
    section: element.closest("[data-section]"),
    inputs: [...element.querySelectorAll("[data-shortcut]")],
    error: element.querySelector("[data-error]"),
    fold: element.querySelector(".fold"),
    rubric: element.querySelector("[data-rubric]"),
  };
}

export class Questions {
  active = null;
  #list;
  #byKey;
  #setAside = new Map(); // answers to questions that do not apply at the moment; back when they do again
  #onActive;

  constructor(root, onActive) {
    this.#list = [...root.querySelectorAll("[data-question]")].map(read);
    this.#byKey = new Map(this.#list.map((question) => [question.key, question]));
    this.#onActive = onActive;
    let isPressed = false; // what moves between the press and the release of a button loses the click
    root.addEventListener("pointerdown", () => (isPressed = true));
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => (isPressed = false));
    root.addEventListener("focusin", ({ target }) => {
      if (isPressed) return;
      this.activate(this.of(target), { withScroll: false });
      target.scrollIntoView({ block: "nearest" }); // what opened with the question may have pushed it away
    });
    root.addEventListener("click", ({ target, detail }) => {
      if (!detail || !target.matches("[data-shortcut]")) return; // arrow keys within a scale go on choosing
      this.activate(this.of(target), { withScroll: false });
      if (target.type === "radio") this.moveOn();
    });
  }

  /** Put a sample's questions on screen; `present` names who speaks in it. */
  begin(present, answers) {
    for (const { section } of this.#list) {
      const { section: about } = section.dataset;
      section.hidden = about === "conversation" ? present.length === 0 : !present.includes(about);
    }
    this.#setAside.clear();
    for (const question of this.#list) {
      question.element.classList.remove("is-missing");
      const given = [answers[question.key] ?? []].flat().map((code) => (code === true ? "on" : code));
      for (const input of question.inputs) input.checked = given.includes(input.value);
    }
    this.showErrors({});
    this.start();
  }

  /** Begin with what stands on the page: the first question without an answer is active. */
  start() {
    this.settle();
    this.#makeActive(null);
    const asked = this.#list.filter((question) => this.#isAsked(question));
    this.#makeActive(this.#firstOpen() ?? asked.find((question) => question.isRequired) ?? asked[0] ?? null);
  }

  /** Show the questions that apply. They stand in order and depend on earlier ones only: one pass will do. */
  settle() {
    for (const question of this.#list) {
      const applies = this.#applies(question);
      const wasShown = !question.element.hidden;
      question.element.hidden = !applies;
      if (!applies) this.#putAside(question);
      else if (!wasShown) this.#bringBack(question);
      this.#limit(question);
      if (question.fold && this.active !== question) question.fold.open = chosen(question).length > 0;
    }
    if (this.active && !this.#isAsked(this.active)) this.#makeActive(this.#firstOpen());
  }

  /** Return the answers as they are sent: a code, a list of codes, or true. */
  answers() {
    const given = {};
    for (const question of this.#list) {
      const codes = chosen(question);
      if (!codes.length || !this.#isAsked(question)) continue;
      given[question.key] = question.scale === "flag" ? true : question.scale === "multi" ? codes : codes[0];
    }
    return given;
  }

  /** Mark what has to be answered still, say what to do at the first of it, and return how much it is. */
  markMissing() {
    const open = this.#list.filter((question) => this.#isOpen(question));
    for (const question of open) question.element.classList.add("is-missing");
    this.showErrors(open.length ? { [open[0].key]: open[0].prompt } : {});
    return open.length;
  }

  /** Say at each question what is wrong with it, and make the first one active; {} takes all of it away. */
  showErrors(errors) {
    for (const question of this.#list) this.#say(question, errors[question.key] ?? "");
    const first = this.#list.find((question) => errors[question.key] && this.#isAsked(question));
    if (first) this.activate(first, { withFocus: true });
  }

  /** Return the question that an element on the page belongs to. */
  of(element) {
    return this.#byKey.get(element.closest?.("[data-question]")?.dataset.question) ?? null;
  }

  /** Give the active question the answer that has this key; false when there is none. */
  answer(key) {
    const input = this.active?.inputs.find((one) => one.dataset.shortcut === key && !one.disabled);
    if (!input) return false;
    const { type, checked } = input;
    input.checked = type === "radio" || !checked;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    if (type === "radio") this.moveOn();
    return true;
  }

  /** After an answer: the next question that has to be answered is active, or this one when none is left. */
  moveOn() {
    const at = this.#list.indexOf(this.active);
    const later = this.#list.slice(at + 1).find((question) => this.#isOpen(question));
    this.activate(later ?? this.#firstOpen() ?? this.active);
  }

  /** Make the next or the previous question active. */
  move(step) {
    const asked = this.#list.filter((question) => this.#isAsked(question));
    const at = asked.indexOf(this.active);
    const to = asked[Math.min(Math.max(at + step, 0), asked.length - 1)];
    this.activate(to, { withFocus: Boolean(this.of(document.activeElement)) });
  }

  activate(question, { withFocus = false, withScroll = true } = {}) {
    if (!question || question.element.hidden) return;
    this.#makeActive(question);
    if (withScroll) question.element.scrollIntoView({ block: "nearest" });
    if (withFocus) this.#focus(question);
  }

  /** A changed answer is no longer wrong. */
  changed(question) {
    this.#clear(question);
    this.settle();
  }

  #makeActive(question) {
    if (question === this.active) return;
    const left = this.active;
    left?.element.classList.remove("is-active");
    left?.element.removeAttribute("aria-current");
    if (left?.fold) left.fold.open = chosen(left).length > 0;
    this.active = question;
    question?.element.classList.add("is-active");
    question?.element.setAttribute("aria-current", "step");
    if (question?.fold) question.fold.open = true;
    this.#onActive(question);
  }

  #focus({ inputs }) {
    const input = inputs.find((one) => one.checked) ?? inputs.find((one) => !one.disabled);
    input?.focus({ preventScroll: true });
  }

  #isAsked = ({ element, section }) => !element.hidden && !section.hidden;
  #isOpen = (question) => question.isRequired && this.#isAsked(question) && !chosen(question).length;
  #firstOpen = () => this.#list.find((question) => this.#isOpen(question)) ?? null;

  #applies({ condition, section }) {
    if (section.hidden) return false;
    if (!condition) return true;
    const other = this.#byKey.get(condition.dependsOn);
    if (!other || !this.#isAsked(other)) return false;
    const given = chosen(other);
    if (condition.isSet) return String(given.length > 0) === condition.isSet;
    if (!given.length) return false;
    if (condition.oneOf.length) return condition.oneOf.includes(given[0]);
    const codes = other.inputs.map((input) => input.value);
    return codes.indexOf(given[0]) >= codes.indexOf(condition.atLeast);
  }

  #putAside(question) {
    const codes = chosen(question);
    if (codes.length) this.#setAside.set(question.key, codes);
    for (const input of question.inputs) input.checked = false;
    this.#clear(question);
  }

  #bringBack(question) {
    const codes = this.#setAside.get(question.key) ?? [];
    this.#setAside.delete(question.key);
    for (const input of question.inputs) input.checked ||= codes.includes(input.value);
  }

  // What is another question's answer, or would be one too many, cannot be chosen.
  #limit(question) {
    if (question.scale !== "multi") return;
    const taken = question.excludes ? chosen(this.#byKey.get(question.excludes)) : [];
    for (const input of question.inputs) if (taken.includes(input.value)) input.checked = false;
    const isFull = chosen(question).length >= question.max;
    for (const input of question.inputs) {
      input.disabled = taken.includes(input.value) || (isFull && !input.checked);
    }
  }

  #clear(question) {
    question.element.classList.remove("is-missing");
    this.#say(question, "");
  }

  #say({ element, error, inputs, scale }, words) {
    if (error.textContent === words) return;
    error.textContent = words;
    error.hidden = !words;
    element.classList.toggle("has-error", Boolean(words));
    const holders = scale === "multi" || scale === "flag" ? inputs : [element.querySelector(".answer")];
    for (const holder of holders) {
      if (words) holder.setAttribute("aria-invalid", "true");
      else holder.removeAttribute("aria-invalid");
    }
  }
}
