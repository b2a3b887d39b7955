// A table that is wider than its place, or so narrow that its cells are towers of single words, is
// laid out as cards, a row each: every value stands beside the name of its column. The
// roles are written down because browsers may forget them where a table is not laid out as one.
const NARROW = 480; // pixels
const TALL = width => width < NARROW ? 9 : 14; // lines of a row
const asCards = table => {
  const names = [...table.tHead.rows[0].cells];
  const role = (elements, name) => { for (const element of elements) element.setAttribute("role", name); };
  role([table], "table");
  role([table.tHead, ...table.tBodies], "rowgroup");
  role(table.rows, "row");
  role(table.querySelectorAll("thead th"), "columnheader");
  role(table.querySelectorAll("td"), "cell");
  for (const row of table.tBodies[0].rows) [...row.cells].forEach((cell, n) => {
    const label = document.createElement("span");
    label.className = "column";
    label.setAttribute("aria-hidden", "true"); // the header itself is read aloud
    label.innerHTML = names[n].firstElementChild?.innerHTML ?? names[n].innerHTML;
    const value = document.createElement("div");
    value.append(...cell.childNodes);
    cell.append(label, value);
  });
};
const layOut = within => {
  const tables = [...within.querySelectorAll("article table.table:has(> thead)")].filter(table => table.offsetParent);
  for (const table of tables) table.classList.remove("cards");
  const line = table => parseFloat(getComputedStyle(table).lineHeight);
  const towers = table => [...table.rows].some(row => row.offsetHeight > TALL(table.offsetWidth) * line(table));
  const poor = tables.filter(table => table.offsetWidth > table.parentElement.clientWidth || towers(table));
  for (const table of poor) {
    if (!table.hasAttribute("role")) asCards(table);
    table.classList.add("cards");
  }
};
addEventListener("DOMContentLoaded", () => layOut(document));
addEventListener("resize", () => layOut(document));
document.addEventListener("toggle", event => layOut(event.target), true);
