// Keys by which one goes from post to post. Never while somebody types, and not at all if they are switched off, which
// the browser keeps (WCAG 2.1.4).
const help = document.getElementById("keys"), on = document.getElementById("keys-on");
const KEPT = "fediblog-keys";
document.querySelector("[popovertarget=keys]").hidden = false;
on.checked = read() !== "off";
on.addEventListener("change", () => write(on.checked ? "on" : "off"));
function read() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}
function write(value) {
  try {
    localStorage.setItem(KEPT, value);
  } catch {
    // then it holds for this page alone
  }
}
const rooms = { s: "/stream", n: "/notices", l: "/letters" };
let going = 0;
document.addEventListener("keydown", (event) => {
  if (!on.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
  if (event.target.closest("input,textarea,select,[contenteditable]")) return;
  const room = Date.now() - going < 1500 && rooms[event.key];
  going = 0;
  if (room) location.assign(room);
  else if (!act(event.key)) return;
  event.preventDefault();
});
function act(key) {
  switch (key) {
    case "j": return move(1);
    case "k": return move(-1);
    case "l": return press("button.like");
    case "b": return press("button.boost");
    case "r": return press("a.reply");
    case "o": return press(".u-url");
    case "g": return (going = Date.now());
    case "n": return note();
    case "?": help.togglePopover(); return true;
  }
  return false;
}
function posts() {
  return [...document.querySelectorAll("article[id^=p]")].filter((each) => each.checkVisibility());
}
function current() {
  return document.activeElement?.closest("article[id^=p]");
}
function move(by) {
  const all = posts(), at = all.indexOf(current());
  const seen = all.findIndex((each) => each.getBoundingClientRect().bottom > 80);
  const next = at < 0 ? all[seen] : all[at + by];
  if (!next) return false;
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "start" });
  return true;
}
function press(what) {
  const found = current()?.querySelector(what);
  found?.click();
  return Boolean(found);
}
function note() {
  const field = document.querySelector(".composer:not(#answer):not(article>*)>textarea");
  if (field) field.focus();
  else location.assign("/write");
  return true;
}
