// A batch goes on by itself: its form is sent again, as its button does, until the page says that it is over.
// Without this file the button does the same; what is done is not done twice.
(() => {
  "use strict";

  const BETWEEN = 700;
  const form = document.querySelector("form[data-batch]");
  const far = document.querySelector("[data-far]");
  const voice = document.getElementById("voice");

  if (far && voice && far.hasAttribute("data-goes")) {
    window.setTimeout(() => {
      voice.textContent = far.textContent;
    }, 100);
  }
  if (form === null) {
    return;
  }

  let waiting = 0;
  const goOn = () => {
    waiting = window.setTimeout(() => form.requestSubmit(), BETWEEN);
  };
  const button = form.querySelector("[data-pause]");
  const goesOn = document.querySelector("[data-goes-on]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const paused = waiting !== 0;
      if (goesOn) {
        goesOn.textContent = paused ? "Paused. What is done stays done." : "Goes on by itself.";
      }
      button.textContent = paused ? "Go on by itself" : "Pause";
      if (paused) {
        window.clearTimeout(waiting);
        waiting = 0;
      } else {
        goOn();
      }
    });
  }
  form.addEventListener("submit", () => {
    window.clearTimeout(waiting);
  });
  goOn();
})();
