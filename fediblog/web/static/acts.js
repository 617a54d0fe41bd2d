// Lets the buttons below a post act in their place: the same forms, whose answer is the foot of the post anew.
// What fails in any other way than in words is sent as a page, as without a script.
let native = null;
document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter, foot = form.closest("footer.actions");
  const to = new URL(button?.hasAttribute("formaction") ? button.formAction : form.action);
  if (native !== form && (foldable(foot, to) || form.closest(".folded"))) return fold(event, form, button, foot, to);
  if (native === form || !foot || form.method !== "post" || !to.pathname.startsWith("/post/")) return;
  event.preventDefault();
  if (foot.ariaBusy) return;
  foot.ariaBusy = "true";
  const told = await send(to, new FormData(form, button));
  foot.ariaBusy = null;
  if (told?.foot) replace(foot, told.foot, button);
  else if (told?.problem) complain(foot, told.problem);
  else asPage(form, button);
});
function asPage(form, button) {
  native = form;
  form.requestSubmit(button);
  native = null;
}
async function send(to, data) {
  const body = new URLSearchParams([...data]);
  const answer = await fetch(to, { method: "POST", body, headers: { accept: "application/json" }, redirect: "error" }).catch(() => null);
  return answer?.headers.get("content-type")?.startsWith("application/json") ? answer.json() : null;
}
function replace(foot, html, button) {
  const folded = [...foot.querySelectorAll("details")].indexOf(button.closest("details"));
  const kind = ["like", "boost", "bookmark"].find((each) => button.classList.contains(each));
  const made = new DOMParser().parseFromString(html, "text/html").querySelector("footer.actions");
  foot.replaceWith(made);
  (made.querySelector(`button.${kind}`) ?? made.querySelectorAll("summary")[folded] ?? made.querySelector(".act"))?.focus();
}
function complain(foot, words) {
  foot.parentElement.querySelector(":scope > .problem")?.remove();
  const said = document.createElement("p");
  said.className = "problem";
  said.role = "alert";
  said.textContent = words;
  foot.after(said);
}

// Mutes or blocks whom a card is by: a line with the way back stands where it was, and their cards are hidden.
function foldable(foot, to) {
  return foot?.closest("article.card") && /^\/account\/\d+\/(mute|block)$/.test(to.pathname) && !document.querySelector("main header.h-card");
}
async function fold(event, form, button, foot, to) {
  event.preventDefault();
  if (form.ariaBusy) return;
  form.ariaBusy = "true";
  const answer = await send(to, new FormData(form));
  form.ariaBusy = null;
  if (answer?.problem) return complain(foot ?? form, answer.problem);
  if (!answer?.told) return asPage(form, button);
  const line = foot ? document.createElement("div") : form.closest(".folded");
  if (foot) {
    const card = foot.closest("article"), who = card.querySelector(".byline .person").href;
    line.classList.add("flash", "folded");
    const said = document.createElement("p");
    said.role = "status";
    line.append(said, ...new DOMParser().parseFromString(answer.undo, "text/html").body.childNodes);
    (card.closest("details.filtered") ?? card).before(line);
    line.cards = [...document.querySelectorAll("article.card")].filter((each) =>
      !each.hidden && [...each.querySelectorAll(":scope > .byline .person, :scope > .why > a")].some((link) => link.href === who));
    for (const each of line.cards) each.hidden = true;
    const next = cards().find((each) => line.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    focus(next ?? line.querySelector("button"));
  } else {
    for (const each of line.cards) each.hidden = false;
    form.remove();
    focus(line.cards[0]);
  }
  line.scrollIntoView({ block: "nearest" });
  setTimeout(() => (line.querySelector("[role=status]").textContent = answer.told)); // told only if it changes where it stands
}
function cards() {
  return [...document.querySelectorAll("article.card")].filter((each) => each.checkVisibility());
}
function focus(card) {
  if (card.localName === "article") card.tabIndex = -1;
  card.focus({ preventScroll: true });
}

// Opens the field for an answer below a card: the form of the post's own page, sent without leaving this one.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("article.card a.reply"), card = link?.closest("article");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (link.ariaBusy) return;
  link.ariaBusy = "true";
  const form = card.querySelector(".composer") ?? (await load(`/post/${card.id.slice(1)}`))?.page.getElementById("answer");
  link.ariaBusy = null;
  if (!form) return location.assign(link.href);
  const field = form.querySelector("textarea");
  form.id = `answer-${card.id}`;
  form.querySelector("label").htmlFor = field.id = `source-${card.id}`;
  form.elements.next.value = card.querySelector("footer [name=next]").value;
  card.append(form);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
});
document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter, card = form.closest("article.card");
  if (native === form || !card || !form.matches(".composer") || button?.value !== "publish") return;
  event.preventDefault();
  if (form.ariaBusy) return;
  form.ariaBusy = "true";
  const data = new FormData(form, button);
  data.set("next", `/post/${card.id.slice(1)}`); // whose page tells what became of it
  const answer = await load("/write", { method: "POST", body: data });
  form.ariaBusy = null;
  const said = answer?.page.querySelector(".flash"), problem = answer?.page.querySelector(".problem");
  if (answer?.redirected && said) {
    form.replaceWith(said);
    if (said.dataset.leaves) countDown(said);
    said.tabIndex = -1;
    said.focus();
  } else if (answer && !answer.redirected && problem) {
    complain(form.querySelector("textarea"), problem.textContent);
    form.querySelector("textarea").focus();
  } else if (answer?.redirected) location.assign(answer.url);
  else asPage(form, button);
});
async function load(where, how = {}) {
  const answer = await fetch(where, { headers: { accept: "text/html" }, ...how }).catch(() => null);
  if (!answer?.headers.get("content-type")?.startsWith("text/html")) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return { page, redirected: answer.redirected, url: answer.url };
}

// Counts down, for eyes alone, to when a post leaves within the hour; then says once that it has, and nothing can be taken back.
document.querySelectorAll("[data-leaves]").forEach(countDown);
function countDown(bar) {
  if (bar.dataset.leaves > 3600) return;
  const end = Date.now() + bar.dataset.leaves * 1000, count = document.createElement("span");
  count.className = "mark";
  count.ariaHidden = "true";
  bar.querySelector("form").append(" ", count);
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    count.textContent = [Math.floor(left / 60), String(left % 60).padStart(2, "0")].join(":");
    if (left > 0) return;
    clearInterval(timer);
    bar.querySelector("[role=status]").textContent = bar.dataset.left;
    bar.querySelector("form").remove();
  };
  const timer = setInterval(tick, 500);
  tick();
}
