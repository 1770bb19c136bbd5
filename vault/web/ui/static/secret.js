// Secrets on a page: copy, clear the clipboard, hide. Nothing is stored, nothing is asked of the server.
// Decided here: a value leaves the page once it was copied, after its time, on "Hide", and whenever the page is left.
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

  let clearing = 0;

  async function copy(place, button) {
    const one = button.closest("[data-one]");
    const value = (one ?? place).querySelector(button.dataset.copy);
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
    window.clearTimeout(clearing);
    clearing = window.setTimeout(() => clearClipboard(place), CLIPBOARD_SECONDS * 1000);
    if (one) {
      spend(place, one, value, button);
    } else {
      wipe(place, "Copied, and hidden.");
    }
    say(place, `Copied. The clipboard is cleared in ${CLIPBOARD_SECONDS} seconds.`);
  }

  // One of several values was copied: it leaves the page, its clock stays; the next one is offered.
  function spend(place, one, value, button) {
    value.textContent = "copied";
    value.classList.add("code__digits--gone");
    button.remove();
    const next = place.querySelector("[data-one] button[data-act='copy']");
    if (next) {
      next.focus();
    }
  }

  function wipe(place, words) {
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
    const gone = place.querySelector("[data-gone]");
    if (gone && words) {
      gone.textContent = words;
    }
    if (hidden) {
      hidden.hidden = false;
      if (hadFocus) {
        hidden.focus();
      }
    }
    if (voice) {
      voice.textContent = words ?? "Hidden.";
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

  // What is no secret: an address to sign in with, a device's name.
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const value = button.parentElement.querySelector("[data-plain]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(value.textContent.trim());
        button.classList.add("btn--did");
        if (voice) {
          voice.textContent = "Copied.";
        }
        window.setTimeout(() => button.classList.remove("btn--did"), 1500);
      } catch {
        window.getSelection().selectAllChildren(value);
      }
    });
  }

  // Leaving by any way, the page cache included, takes every value off the page first.
  window.addEventListener("pagehide", () => document.querySelectorAll("[data-secret]").forEach((place) => wipe(place)));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("[data-wiped]")) {
      window.location.replace(document.documentElement.dataset.home);
    }
  });
})();
