// Recovery codes and links on paper, or where they are pasted.
const codes = [...document.querySelectorAll(".secret code, .code-shown")].map((each) => each.textContent).join("\n");
const acts = {
  print: () => print(),
  copy: async (button) => {
    await navigator.clipboard.writeText(codes);
    button.textContent = button.dataset.done;
  },
};
for (const button of document.querySelectorAll("[data-codes]")) {
  button.hidden = button.dataset.codes === "copy" && !navigator.clipboard;
  button.addEventListener("click", () => acts[button.dataset.codes](button));
}
