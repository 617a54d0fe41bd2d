// Says above the stream how much has come since it was shown; nothing moves until the reader asks for it.
const place = document.getElementById("news");
const after = place.dataset.after;
async function look() {
  if (document.hidden) return;
  const answer = await fetch(`/stream/new?after=${after}`, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return;
  const { label } = await answer.json();
  if (!label || place.textContent === label) return;
  const link = document.createElement("a");
  link.href = "/stream";
  link.textContent = label;
  link.className = "since";
  place.replaceChildren(link);
}
setInterval(look, 30_000);
document.addEventListener("visibilitychange", look);
