// The labelling page's comforts: questions that do not apply are hidden, active time is counted,
// a refused save shows its reason. Everything here also works without this file.
(() => {
  "use strict";

  const answersTo = (form, key) => {
    const inputs = form.querySelectorAll(`[name="answer-${CSS.escape(key)}"]`);
    return [...inputs].filter((input) => input.checked).map((input) => input.value);
  };

  const codesOf = (form, key) =>
    [...form.querySelectorAll(`[name="answer-${CSS.escape(key)}"]`)].map((input) => input.value);

  const applies = (form, question) => {
    const { dependsOn, atLeast, oneOf, isSet } = question.dataset;
    if (!dependsOn) return true;
    const other = form.querySelector(`[data-question="${CSS.escape(dependsOn)}"]`);
    if (!other || other.hidden) return false;
    const given = answersTo(form, dependsOn);
    if (isSet) return (given.length > 0) === (isSet === "true");
    if (given.length === 0) return false;
    if (oneOf) return oneOf.split(" ").includes(given[0]);
    const codes = codesOf(form, dependsOn);
    return codes.indexOf(given[0]) >= codes.indexOf(atLeast);
  };

  // Questions stand in order and depend on earlier ones only, so one pass settles all of them.
  const showWhatApplies = (form) => {
    for (const question of form.querySelectorAll("[data-question]")) {
      question.hidden = !applies(form, question);
      if (question.hidden) {
        for (const input of question.querySelectorAll("input")) input.checked = false;
      }
    }
  };

  // Signing in again in another tab changes the token: send the one of now, not the one of this page.
  const sendFreshToken = (form, event) => {
    const name = `${form.dataset.csrfCookie}=`;
    const cookie = document.cookie.split("; ").find((one) => one.startsWith(name));
    if (!cookie) return;
    event.detail.parameters.delete("csrfmiddlewaretoken");
    event.detail.headers["X-CSRFToken"] = cookie.slice(name.length);
  };

  // Seconds with the page in view, since it was shown.
  const countActiveTime = (form) => {
    const field = form.querySelector("[data-active-seconds]");
    let active = 0;
    let since = document.hidden ? null : performance.now();
    const settle = () => {
      if (since !== null) active += performance.now() - since;
      since = document.hidden ? null : performance.now();
      field.value = Math.round(active / 1000);
    };
    document.addEventListener("visibilitychange", settle);
    form.addEventListener("submit", settle);
    form.addEventListener("htmx:configRequest", (event) => {
      settle();
      sendFreshToken(form, event);
      event.detail.parameters.set("active_seconds", field.value);
    });
  };

  const prepare = (root) => {
    for (const form of root.querySelectorAll("[data-label-form]")) {
      if (form.dataset.ready) continue;
      form.dataset.ready = "yes";
      showWhatApplies(form);
      form.addEventListener("change", () => showWhatApplies(form));
      countActiveTime(form);
    }
  };

  prepare(document);

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 422 || xhr.status === 409) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const root = document.getElementById("workbench");
    if (!root) return;
    prepare(root);
    const target = root.querySelector("[role=alert]") || root.querySelector("[data-focus]");
    if (target) {
      target.setAttribute("tabindex", "-1");
      target.focus({ preventScroll: event.detail.xhr.status < 400 });
    }
  });

  // A failed request leaves the form as it is: say so, and that pressing Save again is safe.
  const sayNotSaved = (words) => {
    const status = document.querySelector(".action-bar-status");
    if (status) status.textContent = words;
  };
  document.addEventListener("htmx:sendError", () =>
    sayNotSaved("Not saved: no connection. Your answers are still here; save again when you are online.")
  );
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) {
      sayNotSaved("Not saved: you were signed out. Sign in in another tab, then save again here.");
    } else {
      sayNotSaved("Not saved: the server could not take it. Save again; it is stored once at most.");
    }
  });
})();
