// Shows times in the reader's own zone; without it they stand in UTC.
const language = document.documentElement.lang;
const whole = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" });
const moment = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });
for (const each of document.querySelectorAll("time[datetime]")) {
  const at = new Date(each.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  each.title = whole.format(at);
  if (each.hasAttribute("data-moment")) each.textContent = moment.format(at);
}
