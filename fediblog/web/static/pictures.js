// Pictures in the text: uploaded by drop, paste and chooser while one writes on, described, and taken from one's own.
const form = document.getElementById("write");
const source = form.elements.source;
const list = form.querySelector(".text-pictures");
const words = list.dataset;
const IN_TEXT = /!\[([^\]\n]*)\]\((\/media\/[^\s)]+)(?:\s+\x22([^\x22\n]*)\x22)?\)/g;
const block = (text) => form.dispatchEvent(new CustomEvent("put-block", { detail: text }));
let uploads = 0;

const escape = (text) => text.replace(/[[\]\\]/g, "\\$&");
const plain = (text) => text.replace(/\\([[\]\\])/g, "$1");
const titled = (caption) => (caption ? ` \x22${caption.replaceAll("\x22", "”")}\x22` : "");
const line = (alt, path, caption) => `![${escape(alt)}](${path}${titled(caption)})`;

// Changes the text without moving the cursor.
function replace(before, after) {
  const at = source.value.indexOf(before);
  if (at < 0) return;
  const { selectionStart: start, selectionEnd: end } = source;
  source.setRangeText(after, at, at + before.length);
  const moved = (place) => (place <= at ? place : Math.max(at + after.length, place + after.length - before.length));
  source.setSelectionRange(moved(start), moved(end));
  source.dispatchEvent(new Event("input", { bubbles: true }));
}

// A line about a file, below the text.
function row(file) {
  const made = document.createElement("p");
  const name = document.createElement("bdi");
  made.classList.add("mark", "uploading");
  name.textContent = file.name;
  made.append(name, " ");
  list.before(made);
  return made;
}

function refuse(line, why) {
  line.setAttribute("role", "alert");
  line.classList.add("problem");
  line.append(why);
}

function upload(file) {
  uploads += 1;
  const waiting = `![${escape(file.name)}](#${words.uploading}-${uploads})`;
  block(`${waiting}\n\n`);
  const told = row(file);
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.setAttribute("aria-label", file.name);
  told.append(bar);
  const request = new XMLHttpRequest();
  request.open("POST", "/write/picture");
  request.responseType = "json";
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("loadend", () => {
    const { path, error } = request.response ?? {};
    replace(path ? waiting : `${waiting}\n\n`, path ? line("", path) : "");
    if (path) told.remove();
    else {
      bar.remove();
      refuse(told, error || words.failed);
    }
  });
  const body = new FormData();
  body.append("csrf", form.elements.csrf.value);
  body.append("upload", file);
  request.send(body);
}

// Uploads the pictures among the files, and says of the others why they are not taken.
function take(files) {
  const chosen = [...(files ?? [])];
  if (chosen.length) for (const old of form.querySelectorAll(".uploading.problem")) old.remove();
  for (const file of chosen) {
    if (!file.type.startsWith("image/")) refuse(row(file), words.refused);
    else if (file.size > Number(words.most)) refuse(row(file), words.large);
    else upload(file);
  }
  return chosen.length > 0;
}
source.addEventListener("paste", (event) => {
  if (!event.clipboardData.getData("text") && take(event.clipboardData.files)) event.preventDefault();
});
source.addEventListener("drop", (event) => {
  if (take(event.dataTransfer.files)) event.preventDefault();
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  source.addEventListener(kind, (event) => {
    source.classList.toggle("dropping", kind === "dragover" && event.dataTransfer.types.includes("Files"));
    if (kind === "dragover" && event.dataTransfer.types.includes("Files")) event.preventDefault();
  });
}
const chooser = document.createElement("input");
Object.assign(chooser, { type: "file", accept: "image/*", multiple: true });
chooser.addEventListener("change", () => {
  take(chooser.files);
  chooser.value = "";
});
form.addEventListener("put-picture", () => chooser.click());

// What stands in the text, with its description and caption.
function field(label, value, change) {
  const box = document.createElement("p");
  const name = document.createElement("label");
  const input = document.createElement("input");
  box.classList.add("field");
  Object.assign(input, { type: "text", value, dir: "auto" });
  input.addEventListener("input", (event) => {
    event.stopPropagation();
    change(input.value);
  });
  name.append(label, input);
  box.append(name);
  return box;
}

let shown = "";
function show() {
  const found = [...source.value.matchAll(IN_TEXT)].map(([whole, alt, path, caption]) => ({ whole, alt: plain(alt), path, caption: caption ?? "" }));
  const seen = found.map((each) => each.path).join(" ");
  if (seen === shown) return;
  shown = seen;
  list.replaceChildren(...found.map((each) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    const told = document.createElement("p");
    Object.assign(image, { src: each.path, alt: "", loading: "lazy", width: 300, height: 200 });
    told.classList.add("nag");
    told.textContent = words.nag;
    told.hidden = each.alt.trim() !== "";
    const change = (what) => {
      const next = { ...each, ...what };
      next.whole = line(next.alt, next.path, next.caption);
      replace(each.whole, next.whole);
      Object.assign(each, next);
      told.hidden = each.alt.trim() !== "";
    };
    const alt = field(words.alt, each.alt, (value) => change({ alt: value }));
    alt.append(told);
    item.append(image, alt, field(words.caption, each.caption, (value) => change({ caption: value })));
    return item;
  }));
}
source.addEventListener("input", show);
show();

// One's own pictures, to put one of them into the text.
const dialog = form.querySelector("dialog");
async function open(path) {
  const answer = await fetch(path, { redirect: "error" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const own = dialog.querySelector(".own");
  own.replaceChildren(...[...page.querySelectorAll(".library [data-path]")].map((each) => {
    const button = document.createElement("button");
    const image = each.querySelector("img");
    button.type = "button";
    button.append(document.adoptNode(image));
    button.addEventListener("click", () => {
      dialog.close();
      block(`${line(each.dataset.alt, each.dataset.path)}\n\n`);
    });
    return button;
  }));
  if (!own.childElementCount) own.textContent = page.querySelector(".library")?.textContent ?? words.failed;
  const older = page.querySelector(".pager a")?.getAttribute("href");
  const more = dialog.querySelector(".older");
  more.hidden = !older;
  more.onclick = () => open(older);
  if (!dialog.open) dialog.showModal();
}
form.querySelector(".own-pictures").addEventListener("click", (event) => {
  event.preventDefault();
  open("/write/pictures").catch(() => location.assign("/write/pictures"));
});
dialog.querySelector(".close").addEventListener("click", () => dialog.close());
