// The definition under a word of the glossary: Escape puts it away, until the pointer or the focus
// comes to the word again.
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const term of document.querySelectorAll("a.term:is(:hover, :focus-visible)"))
    term.classList.add("away");
});
for (const event of ["mouseout", "focusout"])
  document.addEventListener(event, ({ target }) => target.closest?.("a.term")?.classList.remove("away"));
