// Keeps what is typed: on the server every few seconds, and in this browser until the server has it.
const form = document.getElementById("write");
const { account } = form.dataset;
const about = form.elements.about.value;
const mark = form.elements.mark.value;
const saved = form.querySelector(".saved");
const unsaved = form.querySelector(".unsaved");
const compare = form.querySelector(".compare");
const language = document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const PAUSE = 2000; // ms without a key after which it is sent
const LONGEST = 10000; // ms after which it is sent all the same
const KEEP = 500; // ms after which this browser has it
const OLD = 30 * 86400000;
const prefix = `fediblog-text:${account}:`;

const fields = () => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !["csrf", "next"].includes(name));
const same = (one, other) => JSON.stringify(one.filter(typed)) === JSON.stringify(other.filter(typed));
const typed = ([name]) => !["mark", "about", "seen", "opened", "seen-both", "both-at", "zone"].includes(name);

let before = fields();
let since = 0; // when the first key came that the server has not got
let timer = 0;
let keeper = 0;
let sending = null;

function keep() {
  clearTimeout(keeper);
  keeper = 0;
  try {
    localStorage.setItem(prefix + mark, JSON.stringify({ about, at: Date.now(), fields: fields() }));
  } catch {
    // Full or forbidden: then the server alone has it.
  }
}

function forget(key = prefix + mark) {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was kept.
  }
}

function warn(text, both = false) {
  unsaved.textContent = text;
  compare.hidden = !both;
}

// Sends what stands there; whether the server has it.
async function send() {
  clearTimeout(timer);
  timer = 0;
  const now = fields();
  since = 0;
  try {
    const body = new URLSearchParams([["csrf", form.elements.csrf.value], ...now]);
    const answer = await fetch("/write/autosave", { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { at, elsewhere } = await answer.json();
    before = now;
    saved.textContent = saved.dataset.saved.replace("%s", clock.format(at));
    if (elsewhere) {
      warn(unsaved.dataset.elsewhere.replace("%s", clock.format(elsewhere)), true);
    } else warn("");
    if (!since) {
      clearTimeout(keeper);
      forget();
    }
    return true;
  } catch {
    keep();
    warn(unsaved.dataset.unsaved);
    since ||= Date.now();
    timer = setTimeout(later, LONGEST);
    return false;
  }
}

function later() {
  sending = send().finally(() => {
    sending = null;
  });
  return sending;
}

function changed() {
  since ||= Date.now();
  keeper ||= setTimeout(keep, KEEP);
  clearTimeout(timer);
  if (!sending) timer = setTimeout(later, Math.max(0, Math.min(PAUSE, since + LONGEST - Date.now())));
  else sending.then(() => { timer ||= setTimeout(later, PAUSE); });
}
form.addEventListener("input", changed);
form.addEventListener("change", changed);
addEventListener("pagehide", () => {
  if (since) keep();
});

// What was typed last is on the server before the form is sent.
let ready = false;
form.addEventListener("submit", async (event) => {
  if (ready || (!since && !sending)) return;
  event.preventDefault();
  const { submitter } = event;
  await sending;
  if (since) await Promise.race([later(), new Promise((done) => setTimeout(done, 3000))]);
  ready = true;
  form.requestSubmit(submitter);
  ready = false;
});

// What an earlier page kept in this browser, because the server could not take it.
function offer() {
  const found = [];
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(prefix)) continue;
    const kept = JSON.parse(localStorage.getItem(key));
    if (kept.at < Date.now() - OLD || same(kept.fields, before)) forget(key);
    else if (kept.about === about) found.push([key, kept]);
  }
  const [key, kept] = found.sort((one, other) => other[1].at - one[1].at)[0] ?? [];
  if (!kept) return;
  const box = document.createElement("div");
  box.classList.add("kept-text", "wrap");
  const told = document.createElement("p");
  told.textContent = form.dataset.offered.replace("%s", clock.format(kept.at));
  const row = document.createElement("p");
  row.className = "buttons";
  for (const [word, act] of [["use", () => fill(kept.fields)], ["discard", () => {}]]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: form.dataset[word] });
    button.classList.add("button", "small");
    button.addEventListener("click", () => {
      act();
      box.remove();
      forget(key);
    });
    row.append(button, " ");
  }
  box.append(told, row);
  form.querySelector(".sheets").before(box);
}

function fill(pairs) {
  const left = new Map();
  for (const [name, value] of pairs) left.set(name, [...(left.get(name) ?? []), value]);
  for (const each of form.elements) {
    if (!each.name || ["hidden", "file", "submit"].includes(each.type)) continue;
    if (each.type === "checkbox" || each.type === "radio") each.checked = left.get(each.name)?.includes(each.value) ?? false;
    else if (left.has(each.name)) each.value = left.get(each.name).shift() ?? "";
    each.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

try {
  offer();
} catch {
  // No storage here.
}
