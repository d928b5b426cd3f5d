"use strict";
// Loaded before the first paint, so that a chosen theme never flashes in the other one. Shares its key with the admin.
(() => {
  const root = document.documentElement;
  const names = { auto: "as the system", light: "light", dark: "dark" };
  const systemIsDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
  let choice = "auto";
  try {
    choice = localStorage.getItem("theme") ?? "auto";
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }

  function apply() {
    if (!(choice in names)) choice = "auto";
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
  }

  function choose() {
    const order = systemIsDark() ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    choice = order[(order.indexOf(choice) + 1) % order.length];
    apply();
    try {
      localStorage.setItem("theme", choice);
    } catch {
      // As above.
    }
  }

  apply();
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      const name = button.querySelector("[data-theme-name]");
      const say = () => { name.textContent = names[choice]; };
      button.addEventListener("click", () => { choose(); say(); });
      button.hidden = false;
      say();
    }
  });
})();
