// Says above the stream how much has come since it was shown, and moves what the desk counts. Nothing else moves until
// the reader asks for it.
const place = document.getElementById("news");
async function look() {
  if (document.hidden) return;
  const asked = place ? `?after=${place.dataset.after}` : "";
  const answer = await fetch(`/stream/new${asked}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { label, waiting, new: word } = await answer.json();
  const all = Object.values(waiting).reduce((sum, each) => sum + each, 0);
  navigator.setAppBadge?.(all).catch(() => null); // on the icon of who has installed the desk; 0 takes it away
  for (const each of document.querySelectorAll("[data-waiting]")) count(each, waiting[each.dataset.waiting] ?? 0, word);
  if (!label || place.textContent === label) return;
  const link = document.createElement("a");
  link.href = "/stream";
  link.textContent = label;
  link.className = "since";
  place.replaceChildren(link);
}
function count(each, number, word) {
  const badge = document.createElement("span"), unread = document.createElement("span");
  badge.className = "badge";
  badge.textContent = number < 100 ? number : "99+";
  unread.className = "hidden";
  unread.textContent = ` ${word}`;
  each.replaceChildren(...(number ? [badge, unread] : []));
}
setInterval(look, 30_000);
document.addEventListener("visibilitychange", look);
