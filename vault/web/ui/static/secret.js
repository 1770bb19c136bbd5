// Secrets on a page: copy, clear the clipboard, hide. Nothing is stored, nothing is asked of the server.
// Decided here: a value leaves the page after its time, on "Hide", and whenever the page is left.
(() => {
  "use strict";

  const CLIPBOARD_SECONDS = 30;
  const voice = document.getElementById("voice");
  let inClipboard = false;

  function say(place, words) {
    const status = place.querySelector("[data-status]");
    if (status) {
      status.textContent = words;
    } else if (voice) {
      voice.textContent = words;
    }
  }

  async function clearClipboard(place) {
    if (!inClipboard) {
      return;
    }
    try {
      await navigator.clipboard.writeText("");
      inClipboard = false;
      say(place, "The clipboard was cleared.");
    } catch {
      // Browsers refuse while another window has the focus: the next time this one gets it, it is done.
      window.addEventListener("focus", () => clearClipboard(place), { once: true });
    }
  }

  async function copy(place, button) {
    const value = place.querySelector(button.dataset.copy);
    if (!value) {
      return;
    }
    try {
      await navigator.clipboard.writeText(value.textContent.replace(/\s/g, ""));
    } catch {
      window.getSelection().selectAllChildren(value);
      say(place, "Selected: copy it with the keyboard. The browser did not let this page do it.");
      return;
    }
    inClipboard = true;
    say(place, `Copied. The clipboard is cleared in ${CLIPBOARD_SECONDS} seconds.`);
    window.setTimeout(() => clearClipboard(place), CLIPBOARD_SECONDS * 1000);
  }

  function wipe(place) {
    if (!place.isConnected || place.dataset.wiped) {
      return;
    }
    place.dataset.wiped = "yes";
    const hadFocus = place.contains(document.activeElement);
    for (const inner of place.querySelectorAll("[data-vanishes]")) {
      inner.replaceChildren();
      inner.remove();
    }
    const hidden = place.querySelector("[data-hidden]");
    if (hidden) {
      hidden.hidden = false;
      if (hadFocus) {
        hidden.focus();
      }
    }
    if (voice) {
      voice.textContent = "Hidden.";
    }
  }

  for (const place of document.querySelectorAll("[data-secret]")) {
    let seconds = Number(place.dataset.secret);
    const counter = place.querySelector("[data-hides]");
    const timer = window.setInterval(() => {
      seconds -= 1;
      if (counter) {
        counter.textContent = `Hides itself in ${seconds} s`;
      }
      if (seconds <= 0) {
        window.clearInterval(timer);
        wipe(place);
      }
    }, 1000);
    if (counter) {
      counter.textContent = `Hides itself in ${seconds} s`;
    }
    for (const button of place.querySelectorAll("button[data-act]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        if (button.dataset.act === "copy") {
          copy(place, button);
        } else if (button.dataset.act === "longer") {
          seconds += 30;
        } else {
          window.clearInterval(timer);
          wipe(place);
        }
      });
    }
  }

  // Leaving by any way, the page cache included, takes every value off the page first.
  window.addEventListener("pagehide", () => document.querySelectorAll("[data-secret]").forEach(wipe));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-wiped]")) {
      window.location.replace(document.documentElement.dataset.home);
    }
  });
})();
