// Tables whose headers sort. Without this script everything can be read, in the order of the page.
"use strict";
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const said = document.createElement("p");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  table.parentElement.after(said);
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.dataset.sort) return;
    const name = head.textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.title = head.dataset.sort;
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyOf = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
      const language = document.documentElement.lang;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const [x, y] = [keyOf(a), keyOf(b)];
        // What has no figure comes last, in either order.
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, language) : x - y;
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
      said.textContent = (down ? table.dataset.down : table.dataset.up).replace("{column}", name);
    });
  });
}
