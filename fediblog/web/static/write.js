// Where one writes, a post or a page: a toolbar and keys for Markdown, and words that follow what is chosen.
const form = document.getElementById("write");
const source = form.elements.source;

// Puts text in the place of what is selected, so that the browser's own undo takes it back.
function put(text, from = text.length, to = from) {
  source.focus();
  const at = source.selectionStart;
  if (!document.execCommand("insertText", false, text)) {
    source.setRangeText(text, at, source.selectionEnd, "end");
    source.dispatchEvent(new Event("input", { bubbles: true }));
  }
  source.setSelectionRange(at + from, at + to);
}

const chosen = () => source.value.slice(source.selectionStart, source.selectionEnd);

function around(before, after = before) {
  const text = chosen();
  put(before + text + after, before.length, before.length + text.length);
}

// Begins each selected line with a mark.
function lines(mark) {
  const { value, selectionEnd: end } = source;
  const start = value.lastIndexOf("\n", source.selectionStart - 1) + 1;
  source.setSelectionRange(start, end);
  put(value.slice(start, end).split("\n").map((line) => mark + line).join("\n"));
}

// Puts a part that stands by itself, with an empty line before it: behind the paragraph in which the cursor stands.
function block(text, from, to) {
  const { value, selectionStart: start, selectionEnd } = source;
  const begins = !value.slice(0, start).trim() || value.slice(0, start).endsWith("\n");
  const next = value.indexOf("\n\n", selectionEnd);
  const end = begins && start === selectionEnd ? start : next < 0 ? value.length : next;
  source.setSelectionRange(end, end);
  const before = source.value.slice(0, source.selectionStart);
  const gap = !before || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  put(gap + text, from === undefined ? undefined : gap.length + from, to === undefined ? undefined : gap.length + to);
}

const tools = {
  bold: () => around("**"),
  italic: () => around("*"),
  link: () => {
    const text = chosen();
    const whole = `[${text}](https://)`;
    put(whole, text ? whole.length - 1 : 1);
  },
  heading: () => lines("## "),
  quotation: () => lines("> "),
  list: () => lines("- "),
  code: () => (chosen().includes("\n") ? around("```\n", "\n```") : around("`")),
  table: (button) => {
    const cells = button.dataset.cells;
    block(`| ${cells} | ${cells} |\n|---|---|\n|  |  |\n`, 2, 2 + cells.length);
  },
  picture: () => form.dispatchEvent(new CustomEvent("put-picture")),
};
form.addEventListener("put-block", (event) => block(event.detail));
const toolbar = form.querySelector(".toolbar");
toolbar.hidden = false;
toolbar.addEventListener("click", (event) => {
  const button = event.target.closest("[data-put]");
  if (button) tools[button.dataset.put](button);
});
const keys = { b: "bold", i: "italic", k: "link" };
source.addEventListener("keydown", (event) => {
  const tool = keys[event.key.toLowerCase()];
  if (!tool || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  tools[tool]();
});

// A title has one line: Enter goes on to the next field.
form.elements.title?.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  (form.elements.summary ?? source).focus();
});

// What a closed option is set to stands on it.
function value(fold) {
  const said = [];
  for (const each of form.elements) {
    if (!fold.contains(each)) continue;
    if (each.type === "checkbox" && each.checked && !each.name.includes("drop")) said.push(each.closest("label").textContent.trim());
    else if (each.type === "file") said.push(...[...each.files].map((file) => file.name));
    else if (each.type === "text" && each.name && !/alt|caption/.test(each.name)) said.push(each.value.trim());
    else if (each.name === "comments") said.push(each.selectedOptions[0].textContent);
  }
  return said.filter(Boolean).join(", ");
}
form.addEventListener("change", (event) => {
  const fold = event.target.closest(".fold");
  const shown = fold?.querySelector(".value");
  if (shown) shown.firstChild.textContent = value(fold) || shown.dataset.none;
});

// To whom a private post goes, and when it is published, in the words of the button.
const named = form.querySelector(".to-named");
const unnamed = [...(named?.childNodes ?? [])];
const when = form.querySelector(".when");
const now = when?.querySelector("[value=now]").closest("label").textContent.trim();
function retell() {
  if (named && form.elements.visibility.value === "direct") {
    const handles = [...new Set(source.value.match(/(?<![\w/])@[\w.-]*\w(?:@[\w.-]*\w)?/g) ?? [])];
    const shown = document.createElement("bdi");
    shown.textContent = handles.map((each) => each.replace(/(.)@.*/, "$1")).join(", ");
    const [before, after] = named.dataset.to.split("%s");
    if (handles.length) named.replaceChildren(before, shown, after);
    else named.replaceChildren(...unnamed);
  }
  if (when) {
    const at = new Date(form.elements.scheduled.value);
    const later = form.elements.when.value === "later" && !Number.isNaN(at.getTime());
    when.querySelector("summary > span").textContent = later
      ? new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at)
      : now;
  }
}
// Times are typed in the zone of whoever types them.
const { zone, scheduled } = form.elements;
if (zone) {
  zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const at = new Date(Number(zone.dataset.at) || Number.NaN);
  if (!Number.isNaN(at.getTime())) {
    const here = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
    scheduled.value = here.toISOString().slice(0, 16);
  }
  document.getElementById("scheduled-hint")?.replaceChildren(zone.dataset.told.replace("%s", zone.value.replaceAll("_", " ")));
}
form.addEventListener("input", retell);
form.addEventListener("change", retell);
form.elements.scheduled?.addEventListener("input", () => {
  form.elements.when.value = "later";
});
when?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  when.open = false;
  when.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  if (when?.open && !when.contains(event.target)) when.open = false;
});
retell();
