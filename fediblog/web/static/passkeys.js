// Passkeys: what the browser answers goes with the form in which the button stands. Without this a password logs in.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const named = (list) => list.map((each) => ({ ...each, id: bytes(each.id) }));

async function answered(options) {
  const challenge = bytes(options.challenge);
  if (!options.user) {
    const publicKey = { ...options, challenge, allowCredentials: named(options.allowCredentials) };
    return navigator.credentials.get({ publicKey });
  }
  const user = { ...options.user, id: bytes(options.user.id) };
  const publicKey = { ...options, challenge, user, excludeCredentials: named(options.excludeCredentials) };
  return navigator.credentials.create({ publicKey });
}

function written(found) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"])
    if (found.response[name]) response[name] = text(found.response[name]);
  return JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response, clientExtensionResults: {} });
}

async function asked(path, form) {
  const body = new URLSearchParams({ csrf: form.elements.csrf?.value ?? "" });
  const found = await fetch(path, { method: "POST", body });
  if (!found.ok) throw new Error(found.status);
  return written(await answered(await found.json()));
}

for (const box of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) continue;
  const button = box.querySelector("button");
  const problem = box.querySelector(".problem");
  const form = button.form;
  box.hidden = false;
  for (const each of document.querySelectorAll("[data-without-passkeys]")) each.hidden = true;
  button.addEventListener("click", async () => {
    if (box.hasAttribute("data-filled") && !form.reportValidity()) return;
    problem.hidden = true;
    try {
      if (box.dataset.first && !form.elements.code.value) form.elements.signed.value = await asked(box.dataset.first, form);
      form.elements.passkey.value = await asked(box.dataset.passkey, form);
      form.submit();
    } catch {
      problem.hidden = false;
    }
  });
}
