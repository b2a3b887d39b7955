// The definition under a word of the glossary. Escape puts it away, until the pointer or the focus
// comes to the word again. A finger has no way to point: its first tap on a word shows the
// definition, a second one, there or on the definition, follows the link, and one elsewhere puts
// the definition away.
{
  let finger = false;
  const tapped = () => document.querySelector("a.term.tapped");
  const forget = () => tapped()?.classList.remove("tapped");
  addEventListener("pointerdown", ({ pointerType }) => { finger = pointerType === "touch"; });
  addEventListener("pointerup", ({ target }) => { if (target.closest?.("a.term") !== tapped()) forget(); });
  addEventListener("click", event => {
    const term = event.target.closest?.("a.term");
    if (!finger || !term || term === tapped()) return;
    event.preventDefault();
    term.classList.remove("away");
    term.classList.add("tapped");
  });
  addEventListener("keydown", ({ key }) => {
    finger = false;
    if (key !== "Escape") return;
    forget();
    for (const term of document.querySelectorAll("a.term:is(:hover, :focus-visible)"))
      term.classList.add("away");
  });
  for (const event of ["mouseout", "focusout"])
    addEventListener(event, ({ target }) => target.closest?.("a.term")?.classList.remove("away"));
}
