// What stands around the sample: heading, progress, the line that says what is stored, and the bars above.

import { canUndo, isStopped, unsaved } from "./queue.js";
import { clockTime, samples, storage, stretch, timeLeft, worked } from "./words.js";

export class Frame {
  #root;
  #parts = {};
  #said = "";

  constructor(root) {
    this.#root = root;
    for (const name of ["heading", "live", "status", "draft-status", "labelled", "time-left", "today", "progress"]) {
      this.#parts[name] = root.querySelector(`[data-${name}]`);
    }
  }

  /** Name the sample on screen, in the heading, the title and the address that the form has without a script. */
  name(card, form) {
    const words = `Sample ${card.number}`;
    this.#write("heading", words);
    setTimeout(() => (document.title = document.title.replace(/^Sample \d+/, words))); // slow, and not in sight
    const address = form.getAttribute("action").replace(/[^/]+\/$/, `${card.assignment}/`); // a button is named action
    form.setAttribute("action", address);
    this.#do("flag")[0].href = `${address}flag/`;
  }

  focusHeading() {
    this.#parts.heading.focus({ preventScroll: true });
  }

  /** Bring everything into line with the state; `secondsHere` is the time spent on the sample on screen. */
  render(state, secondsHere) {
    const waiting = unsaved(state);
    this.#write("status", storage(state.link, waiting, Boolean(state.sending), state.lastStored));
    this.#parts.status.title = state.lastStored?.receipt ? `Receipt ${state.lastStored.receipt}` : "";
    this.#progress(state, secondsHere);
    this.#show("signed-out", state.link === "signed_out");
    this.#show("stopped", isStopped(state));
    for (const place of this.#root.querySelectorAll("[data-unsaved]")) {
      place.textContent = waiting ? `${samples(waiting)} waiting here` : "everything is saved";
    }
    if (isStopped(state)) this.#tellWhyItStopped(state, waiting);
    for (const button of this.#do("undo")) button.disabled = !canUndo(state);
    this.#announce(state, waiting);
  }

  showBreak(isDue, afterSeconds) {
    if (isDue) this.#root.querySelector("[data-break-words]").textContent = stretch(afterSeconds);
    this.#show("break", isDue);
  }

  /** Tell something in a bar that stays until it is closed, or until the next sample; "" closes it. */
  tell(words) {
    this.#root.querySelector("[data-news-words]").textContent = words;
    this.#show("news", Boolean(words));
    if (words) this.say(words);
  }

  /** Say something to screen readers only; the page shows it elsewhere. */
  say(words) {
    this.#write("live", words);
  }

  draftKept() {
    this.#write("draft-status", `Draft kept ${clockTime(Date.now(), false)}`);
  }

  clearDraft() {
    this.#write("draft-status", "");
  }

  /** Show the sample, or that the next one is on its way. */
  showCard(hasCard, form, link) {
    form.classList.toggle("is-waiting", !hasCard); // what is stored, and undo, stay in sight
    const panel = this.#root.querySelector("[data-no-card]");
    panel.hidden = hasCard;
    if (hasCard) return;
    this.#write("heading", "Label");
    const isAway = link === "down" || link === "busy";
    panel.querySelector("[data-no-card-words]").textContent = isAway
      ? "It comes as soon as the server can be reached. What you did is kept in this tab: leave it open."
      : "";
  }

  #progress({ standing, outbox }, secondsHere) {
    const pending = outbox.filter((entry) => entry.kind === "label");
    const labelled = standing.labelled + pending.length;
    const planned = standing.labelled + standing.waiting;
    const left = Math.max(planned - labelled, 0);
    const pace = standing.seconds_per_label;
    const unsent = pending.reduce((sum, entry) => sum + entry.activeSeconds, 0);
    this.#write("labelled", `${labelled} of ${planned}`);
    this.#write("time-left", left ? timeLeft(pace === null ? null : left * pace) : "all done");
    this.#write("today", worked(standing.seconds_today + unsent + secondsHere));
    this.#parts.progress.max = Math.max(planned, 1);
    this.#parts.progress.value = labelled;
  }

  #tellWhyItStopped({ refusals }, waiting) {
    const why = refusals.map(({ number, detail }) => (number ? `Sample ${number}: ${detail}` : detail));
    this.#root.querySelector("[data-stopped-words]").textContent = why.join(" ");
    this.#root.querySelector("[data-stopped-rest]").textContent = waiting
      ? `${samples(waiting)} before it ${waiting === 1 ? "is" : "are"} still being saved: wait a moment, then reload.`
      : "Everything else is saved. Reload the page to go on.";
  }

  // Each save in words would be a torrent: only what changes is said.
  #announce({ link, lastStored }, waiting) {
    const trouble = { down: "Offline", busy: "The server does not answer", signed_out: "Signed out" }[link];
    const now = trouble ? `${trouble}. What you do is kept here and sent later.` : "";
    if (now === this.#said) return;
    if (now) this.say(now);
    else if (lastStored && !waiting) this.say("Connected again, everything is saved.");
    else return;
    this.#said = now;
  }

  #do(name) {
    return this.#root.querySelectorAll(`[data-do="${name}"]`);
  }

  #show(bar, isShown) {
    this.#root.querySelector(`[data-bar="${bar}"]`).hidden = !isShown;
  }

  #write(part, words) {
    const element = this.#parts[part];
    if (element && element.textContent !== words) element.textContent = words;
  }
}
