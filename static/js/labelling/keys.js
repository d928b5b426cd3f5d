// Which key does what, when keys do anything at all, and the switch that turns them off.

const COMMANDS = {
  Enter: "save",
  u: "undo",
  s: "pass",
  f: "flag",
  n: "note",
  g: "guideline",
  o: "open",
  r: "rubric",
  "?": "help",
  j: "next",
  k: "previous",
  ArrowDown: "next",
  ArrowUp: "previous",
  ArrowRight: "lookOn",
  ArrowLeft: "lookBack",
  PageDown: "scrollDown",
  PageUp: "scrollUp",
  " ": "scrollDown",
};
const REPEATS = ["next", "previous", "lookOn", "lookBack", "scrollDown", "scrollUp"];
const SWITCH = "labelling-keys"; // the one thing this page leaves in the browser

const TYPING = "textarea, select, input:not([type=radio], [type=checkbox]), [contenteditable]";
const NATIVE = [
  ["button, a, summary, [role=button]", ["Enter", " "]],
  ["input", ["Enter", " ", "ArrowLeft", "ArrowRight"]],
  ["[role=region]", ["ArrowUp", "ArrowDown", "PageUp", "PageDown", " "]],
];

/** Return the key as the tables know it; a digit is one also where it takes Shift to type it. */
function nameOf(event) {
  if (event.key in COMMANDS) return event.key;
  const digit = /^Digit(\d)$/.exec(event.code);
  if (digit && !event.shiftKey) return digit[1];
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

const isForTheElement = (target, key) =>
  NATIVE.some(([selector, keys]) => keys.includes(key) && target.closest(selector));

export class Keys {
  #isOn = true;
  #commands;
  #answer;

  /** `commands` maps names to functions, `answer` takes any other key and says whether it meant something. */
  constructor(commands, answer) {
    this.#commands = commands;
    this.#answer = answer;
    try {
      this.#isOn = localStorage.getItem(SWITCH) !== "off";
    } catch {
      // Storage is blocked: the choice lasts as long as the page.
    }
    document.addEventListener("keydown", (event) => this.#press(event));
    this.#show();
  }

  get isOn() {
    return this.#isOn;
  }

  set isOn(on) {
    this.#isOn = on;
    try {
      if (on) localStorage.removeItem(SWITCH);
      else localStorage.setItem(SWITCH, "off");
    } catch {
      // As above.
    }
    this.#show();
  }

  #press(event) {
    const { target } = event;
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    if (target.closest(TYPING)) {
      if (event.key === "Escape") this.#commands.leaveField?.();
      return;
    }
    if (!this.#isOn || event.ctrlKey || event.altKey || event.metaKey) return;
    const key = nameOf(event);
    if (isForTheElement(target, key)) return;
    const name = COMMANDS[key];
    if (event.repeat && !REPEATS.includes(name)) return;
    const isMeant = name ? this.#run(name) : this.#answer(key);
    if (isMeant) event.preventDefault();
  }

  #run(name) {
    const command = this.#commands[name];
    return command ? command() !== false : false;
  }

  #show() {
    document.documentElement.toggleAttribute("data-labelling-keys", this.#isOn);
  }
}
