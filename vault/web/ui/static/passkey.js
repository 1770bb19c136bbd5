// Passkeys: a form with a place for one is sent when the authenticator has signed exactly what is in it.
// Decided here: what is signed is hashed in the page, as the server hashes what arrives (web/asked.py), so that
// nothing that was typed is sent anywhere for it. Without this file the form says that a passkey needs JavaScript.
(() => {
  "use strict";

  const PREFIX = "passkey.";
  const BEGINNING = "rootvault request v1";
  const APART = new Set(["otp", "csrf_token"]);
  const TIMEOUT = 60000;
  const encoder = new TextEncoder();

  function base64url(bytes) {
    let text = "";
    for (const byte of new Uint8Array(bytes)) {
      text += String.fromCharCode(byte);
    }
    return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  function bytes(text) {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (character) => character.charCodeAt(0));
  }

  function joined(parts) {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  async function sha256(data) {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  }

  // Each text with its length in front; fields in the order of their first names, line ends as one.
  async function digest(form) {
    const fields = new Map();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string" && !APART.has(name)) {
        fields.set(name, [...(fields.get(name) || []), value]);
      }
    }
    const address = new URL(form.action);
    const texts = [BEGINNING, "POST", decodeURIComponent(address.pathname) + address.search];
    for (const [name, values] of fields) {
      for (const value of values) {
        texts.push(name.replace(/\r\n?/g, "\n"), value.replace(/\r\n?/g, "\n"));
      }
    }
    const parts = texts.flatMap((text) => {
      const data = encoder.encode(text);
      return [encoder.encode(`${data.length}:`), data];
    });
    return sha256(joined(parts));
  }

  async function challenge(ticket, signed) {
    return sha256(joined([await sha256(encoder.encode(ticket)), signed]));
  }

  class Told extends Error {}

  async function offer(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok) {
      throw new Told(
        answer.status === 401 ? "You are not signed in any more. Load the page again." : "The vault does not answer. Try again.",
      );
    }
    const found = await answer.json();
    if (found.origin !== window.location.origin) {
      throw new Told(`Passkeys belong to ${found.origin}. Open the vault under that address.`);
    }
    return found;
  }

  function named(ids) {
    return ids.map((id) => ({ type: "public-key", id: bytes(id) }));
  }

  async function make(form) {
    const found = await offer(form.dataset.enrols);
    const made = await navigator.credentials.create({
      publicKey: {
        challenge: await challenge(found.ticket, new Uint8Array()),
        rp: { id: found.party, name: "Rootvault" },
        user: {
          id: encoder.encode(found.person.id),
          name: found.person.name,
          displayName: found.person.display,
        },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: {
          residentKey: "required",
          requireResidentKey: true,
          userVerification: "required",
        },
        excludeCredentials: named(found.credentials),
        attestation: "none",
        timeout: TIMEOUT,
      },
    });
    form.elements.ticket.value = found.ticket;
    form.elements.credential.value = JSON.stringify({
      id: made.id,
      rawId: base64url(made.rawId),
      type: made.type,
      response: {
        clientDataJSON: base64url(made.response.clientDataJSON),
        attestationObject: base64url(made.response.attestationObject),
      },
    });
  }

  async function press(form, place) {
    const found = await offer(place.dataset.passkey);
    const signed = await navigator.credentials.get({
      publicKey: {
        challenge: await challenge(found.ticket, await digest(form)),
        rpId: found.party,
        allowCredentials: named(found.credentials),
        userVerification: "required",
        timeout: TIMEOUT,
      },
    });
    const credential = {
      id: signed.id,
      rawId: base64url(signed.rawId),
      type: signed.type,
      response: {
        clientDataJSON: base64url(signed.response.clientDataJSON),
        authenticatorData: base64url(signed.response.authenticatorData),
        signature: base64url(signed.response.signature),
      },
    };
    if (signed.response.userHandle) {
      credential.response.userHandle = base64url(signed.response.userHandle);
    }
    const text = JSON.stringify({ ticket: found.ticket, credential });
    form.elements.otp.value = PREFIX + base64url(encoder.encode(text));
  }

  const WORDS = {
    InvalidStateError: "This passkey is enrolled already.",
    NotAllowedError: "It was not confirmed: the browser was told no, or took too long. Try again.",
    SecurityError: "This browser does not allow passkeys at this address.",
  };

  function say(form, words, wrong) {
    const said = form.querySelector("[data-said]");
    said.textContent = words;
    said.hidden = !words;
    said.classList.toggle("passkey__said--wrong", wrong);
    said.setAttribute("role", wrong ? "alert" : "status");
  }

  async function send(form, place, submitter) {
    const buttons = form.querySelectorAll("button");
    if (!window.PublicKeyCredential) {
      say(form, "This browser knows no passkeys.", true);
      return;
    }
    buttons.forEach((button) => {
      button.disabled = true;
    });
    say(form, "Confirm it with your passkey: your browser asks for it now.", false);
    // A button's own name and value are a field like the others.
    const chosen = document.createElement("input");
    chosen.type = "hidden";
    if (submitter && submitter.name) {
      chosen.name = submitter.name;
      chosen.value = submitter.value;
      form.append(chosen);
    }
    try {
      if (form.dataset.enrols && !form.elements.credential.value) {
        await make(form);
      }
      if (place) {
        await press(form, place);
      }
      if (submitter && submitter.name) {
        const chosen = document.createElement("input");
        chosen.type = "hidden";
        chosen.name = submitter.name;
        chosen.value = submitter.value;
        form.append(chosen);
      }
      HTMLFormElement.prototype.submit.call(form);
    } catch (error) {
      say(form, error instanceof Told ? error.message : WORDS[error.name] || "That did not work. Try again.", true);
      chosen.remove();
      buttons.forEach((button) => {
        button.disabled = false;
      });
    }
  }

  for (const form of document.querySelectorAll("form")) {
    const place = form.querySelector("[data-passkey]");
    if (place || form.dataset.enrols) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        send(form, place, event.submitter);
      });
    }
  }
})();
