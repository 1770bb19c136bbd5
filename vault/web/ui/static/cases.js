// A batch goes on by itself: the form is sent again until the server says that all were gone through.
// Without this file the same form is sent by its button; what is done is not done twice.
(() => {
  "use strict";

  const BETWEEN = 150;
  const voice = document.getElementById("voice");
  let paused = false;

  function say() {
    const far = document.querySelector("[data-far]");
    if (far && voice) {
      voice.textContent = far.textContent;
    }
  }

  async function once(form) {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "text/html" },
      cache: "no-store",
    });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = page.getElementById("batch");
    if (!answer.ok || part === null || answer.redirected) {
      throw new Error("no batch");
    }
    document.getElementById("batch").replaceWith(part);
    say();
  }

  function pauses(form) {
    const button = form.querySelector("[data-pause]");
    if (button) {
      button.hidden = false;
      button.addEventListener("click", () => {
        paused = !paused;
        button.textContent = paused ? "Go on by itself" : "Pause";
        if (!paused) {
          goOn();
        }
      });
    }
  }

  function goOn() {
    const form = document.querySelector("form[data-batch]");
    if (form === null || paused) {
      return;
    }
    window.setTimeout(async () => {
      if (paused || !form.isConnected) {
        return;
      }
      try {
        await once(form);
      } catch {
        const told = document.querySelector("[data-goes-on]");
        if (told) {
          told.textContent = "The vault does not answer. Press the button to go on; what is done stays done.";
        }
        return;
      }
      start();
    }, BETWEEN);
  }

  function start() {
    const form = document.querySelector("form[data-batch]");
    if (form !== null) {
      pauses(form);
      goOn();
    }
  }

  start();
})();
