// Keyboard shortcuts, described on the page "Keyboard" and switched off there (WCAG 2.2, 2.1.4).
(() => {
  "use strict";

  const SWITCH = "rootvault-shortcuts";
  const off = () => window.localStorage.getItem(SWITCH) === "off";
  let waiting = 0;

  function typing(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", (event) => {
    if (off() || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) {
      return;
    }
    if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      return;
    }
    if (event.key === "j" || event.key === "k") {
      const rows = [...document.querySelectorAll("[data-row]")];
      const at = rows.indexOf(document.activeElement);
      const step = event.key === "j" ? 1 : -1;
      const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : at + step];
      if (next) {
        next.focus();
      }
      return;
    }
    if (event.key === "g") {
      waiting = Date.now();
      return;
    }
    if (Date.now() - waiting < 1500) {
      const link = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      waiting = 0;
      if (link) {
        link.click();
      }
      return;
    }
    // One key on a page that has steps. Held down it counts once, so that no step is passed by.
    const meant = [...document.querySelectorAll(`[data-hotkey="${CSS.escape(event.key)}"]`)];
    const found = event.repeat ? undefined : meant.find((each) => each.getClientRects().length > 0);
    if (found) {
      event.preventDefault();
      if (found.matches("input")) {
        found.focus();
      } else {
        found.click();
      }
    }
  });

  function chips() {
    for (const chip of document.querySelectorAll("[data-chip]")) {
      chip.hidden = off();
    }
  }
  chips();

  const button = document.getElementById("shortcuts");
  if (button) {
    const show = () => {
      button.textContent = off() ? "Switch shortcuts on" : "Switch shortcuts off";
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      if (off()) {
        window.localStorage.removeItem(SWITCH);
      } else {
        window.localStorage.setItem(SWITCH, "off");
      }
      show();
    });
    show();
  }

  // The narrow menu closes with Escape and gives the focus back.
  for (const menu of document.querySelectorAll("details.menu")) {
    menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
  }
})();
