// The dialogs of the page: the list of keys, the flag, and the guideline fetched when it is first wanted.

export class Dialogs {
  #root;
  #guideline = null;

  constructor(root, keys, onFlag) {
    this.#root = root;
    const onOff = root.querySelector("[data-keys-switch]");
    const state = root.querySelector("[data-keys-state]");
    const show = () => {
      onOff.checked = keys.isOn;
      state.textContent = keys.isOn ? "Keys" : "Keys are off";
    };
    onOff.addEventListener("change", () => {
      keys.isOn = onOff.checked;
      show();
    });
    show();
    root.querySelector("[data-flag-form]").addEventListener("submit", (event) => {
      event.preventDefault();
      const given = new FormData(event.target);
      this.#get("flag").close();
      event.target.reset();
      onFlag({ kind: given.get("kind"), words: given.get("words").trim() });
    });
  }

  open(name) {
    this.#get(name).showModal();
  }

  close() {
    this.#root.querySelector("dialog[open]")?.close();
  }

  /** Open the guideline at the first clause that a help text names. */
  async openGuideline(help) {
    this.open("guideline");
    const place = this.#root.querySelector("[data-guideline-text]");
    this.#guideline ??= await fetchText(this.#root.querySelector('[data-dialog="guideline"] a').href);
    if (!this.#guideline) {
      place.textContent = "The guideline could not be fetched. Open it in a new tab, or try again.";
      return;
    }
    if (!place.contains(this.#guideline)) place.replaceChildren(this.#guideline);
    const [, clause] = /Clauses? (\w+)/.exec(help ?? "") ?? [];
    const headings = [...place.querySelectorAll("h2, h3")];
    const heading = headings.find((one) => clause && one.textContent.startsWith(`${clause} `));
    if (heading) heading.scrollIntoView({ block: "start" });
    else place.scrollTop = 0;
    place.focus({ preventScroll: true });
  }

  #get(name) {
    return this.#root.querySelector(`[data-dialog="${name}"]`);
  }
}

async function fetchText(address) {
  try {
    const response = await fetch(address, { credentials: "same-origin", redirect: "error" });
    if (!response.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const text = page.querySelector(".prose");
    text?.querySelector("h1")?.remove(); // the dialog has its own heading
    return text && document.adoptNode(text);
  } catch {
    return null;
  }
}
