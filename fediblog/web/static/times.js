// Shows times in the reader's own zone, as the server words them, and keeps how long ago something was up to date;
// without it they stand in the zone of the blog.
const { lang } = document.documentElement;
const language = lang === "en" ? "en-GB" : lang; // the day before the month, and no a.m.
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const dayOfYear = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
const year = new Date().getFullYear();
for (const each of document.querySelectorAll("time[datetime]")) {
  const at = new Date(each.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  each.title = whole.format(at);
  if (each.hasAttribute("data-clock")) each.textContent = clock.format(at);
  if (each.hasAttribute("data-day")) each.textContent = day.format(at);
  if (each.hasAttribute("data-moment")) each.textContent = `${day.format(at)}, ${clock.format(at)}`;
  if (each.hasAttribute("data-ago")) each.textContent = (at.getFullYear() === year ? dayOfYear : day).format(at);
}

const minutes = new Intl.NumberFormat(language, { style: "unit", unit: "minute" });
const yesterday = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-1, "day");
const recent = [...document.querySelectorAll("time[data-ago]")].filter((each) => Date.now() - new Date(each.dateTime) < 172_800_000);
function tell() {
  const today = new Date().setHours(0, 0, 0, 0);
  for (const each of recent) {
    const at = new Date(each.dateTime);
    const passed = Math.max(1, Math.floor((Date.now() - at) / 60_000));
    if (passed < 60) each.textContent = minutes.format(passed);
    else if (at >= today) each.textContent = clock.format(at);
    else if (at >= today - 86_400_000) each.textContent = yesterday;
  }
}
if (recent.length) {
  tell();
  setInterval(tell, 60_000);
}
