// The correction page: the same questions as the labelling page; what is saved goes by the plain form.

import { Anchors } from "./anchors.js";
import { Clock } from "./clock.js";
import { Keys } from "./keys.js";
import { Questions } from "./questions.js";

const form = document.querySelector("[data-label-form]");
const place = form.querySelector("[data-questions]");
const clock = new Clock();
const questions = new Questions(place, (question) => anchors.of(question));
const anchors = new Anchors(place, questions);

new Keys(
  {
    next: () => questions.move(1),
    previous: () => questions.move(-1),
    lookOn: () => anchors.step(1),
    lookBack: () => anchors.step(-1),
    rubric: () => anchors.toggleAll(),
    note: () => form.elements.note.focus(),
    leaveField: () => document.activeElement.blur(),
  },
  (key) => questions.answer(key),
);

form.addEventListener("change", ({ target }) => {
  const question = questions.of(target);
  if (question) questions.changed(question);
  anchors.rest();
});
form.addEventListener("submit", () => {
  form.elements.active_seconds.value = clock.seconds;
});

questions.start();
