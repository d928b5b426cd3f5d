// The strip beside the questions: what the answer under the eye means, or what the active question asks.

const BESIDE = matchMedia("(min-width: 64rem)"); // as in labelling.css: text and questions beside each other

export class Anchors {
  #strip;
  #home; // where the strip stands on a wide screen, so that nothing moves there; else below the active question
  #words;
  #question = null;
  #at = -1; // the answer that is looked at by keyboard

  constructor(root, questions) {
    this.#strip = root.querySelector("[data-strip]");
    this.#home = document.createComment("");
    this.#strip.before(this.#home);
    BESIDE.addEventListener("change", () => this.#place());
    this.#words = root.querySelector("[data-strip-words]");
    // The strip is what a screen reader reads to an answer when that gets the focus: folded text it could not.
    for (const input of root.querySelectorAll(".option input")) {
      input.setAttribute("aria-describedby", `${this.#words.id} ${questions.of(input).error.id}`);
    }
    const look = ({ target }) => {
      const input = target.closest?.("label.option")?.querySelector("input");
      const question = input && questions.of(input);
      // Below the active question the strip grows with its words: there only those of that question may change it.
      if (question && (BESIDE.matches || question === this.#question)) this.#show(question, input);
      else this.rest();
    };
    root.addEventListener("pointerover", look);
    root.addEventListener("focusin", look);
    root.addEventListener("pointerleave", () => this.rest());
  }

  /** The active question changed, or its answer did. */
  of(question) {
    this.#look(-1);
    this.#question = question;
    this.#strip.classList.remove("is-tall");
    this.#place();
    this.rest();
  }

  /** Look at the next or the previous answer of the active question. */
  step(by) {
    const inputs = this.#question?.inputs ?? [];
    if (!inputs.length) return;
    const from = this.#at < 0 ? inputs.findIndex((input) => input.checked) : this.#at;
    const to = from < 0 && by < 0 ? inputs.length - 1 : from + by;
    this.#look((to + inputs.length) % inputs.length);
    this.rest();
  }

  /** Open or close what all answers of the active question mean. */
  toggleAll() {
    const rubric = this.#question?.rubric;
    if (!rubric) return;
    rubric.open = !rubric.open;
    rubric.parentElement.scrollIntoView({ block: "nearest" });
  }

  /** Back to the active question: the answer looked at, else the one chosen, else what it asks. */
  rest() {
    const question = this.#question;
    const checked = question?.inputs.filter((input) => input.checked) ?? [];
    const input = question?.inputs[this.#at] ?? (checked.length === 1 ? checked[0] : null);
    this.#show(question, input);
  }

  #place() {
    const before = BESIDE.matches || !this.#question ? this.#home : this.#question.element;
    if (before.nextSibling !== this.#strip) before.after(this.#strip);
  }

  #look(at) {
    this.#question?.inputs[this.#at]?.closest("label").classList.remove("is-looked-at");
    this.#at = at;
    this.#question?.inputs[at]?.closest("label").classList.add("is-looked-at");
  }

  #show(question, input) {
    if (!question) {
      this.#words.replaceChildren();
      return;
    }
    const entry = input && question.rubric.querySelector(`[data-anchor-of="${CSS.escape(input.value)}"]`);
    const name = entry ? `: ${entry.querySelector("dt").textContent}` : "";
    const help = question.rubric.querySelector("[data-help]").textContent;
    const anchor = entry?.querySelector("[data-anchor]").textContent;
    const example = entry?.querySelector("[data-example]")?.textContent;
    const lines = (anchor || help).split("\n").filter(Boolean);
    // Room for several lines stays until another question is active, so that looking around moves nothing.
    if (lines.length > 1) this.#strip.classList.add("is-tall");
    const title = `${question.title}${name}.`;
    const told = lines.length > 1 ? [paragraph("", title), ...lines.map(withLead)] : [paragraph(lines[0] ?? "", title)];
    this.#words.replaceChildren(...told, ...(example ? [paragraph(example, "", "example")] : []));
  }
}

// A line of an anchor may name its column before a colon.
function withLead(line) {
  const [, lead, rest] = /^([^:]{1,40}:)?(.*)$/.exec(line);
  return paragraph(rest, lead);
}

function paragraph(text, lead = "", className = "") {
  const made = document.createElement("p");
  made.className = className;
  made.textContent = lead ? ` ${text.trim()}` : text;
  if (lead) {
    const strong = document.createElement("strong");
    strong.textContent = lead;
    made.prepend(strong);
  }
  return made;
}
