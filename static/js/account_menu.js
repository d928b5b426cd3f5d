"use strict";
// The account menu is a details element; here it also closes on Escape and on a click elsewhere.
(() => {
  const open = () => document.querySelector(".account-menu[open]");
  document.addEventListener("keydown", (event) => {
    const menu = open();
    if (event.key !== "Escape" || !menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const menu = open();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
})();
