// What is asked of a page that is being looked at (pipelines/accessibility.py, pipelines/keyboard.py): put in every page
// of the browser before its own script.
"use strict";
globalThis.btg = {
  // --- the rules of axe-core

  // Contrast apart from the other rules. Of what is scrolled out of sight axe does not judge it, so for a moment nothing
  // scrolls; nor of symbols, which as pictures need a contrast of 3 (WCAG 1.4.11).
  async rules(tags) {
    // No rule of these needs the text of the style sheets.
    const common = { resultTypes: ["violations", "incomplete"], preload: false };
    const others = await axe.run({
      ...common,
      runOnly: { type: "tag", values: tags },
      rules: { "color-contrast": { enabled: false } },
    });
    const unroll = btg.unroll();
    const options = { ...axe._audit.checks["color-contrast"].options, ignoreUnicode: false, ignoreLength: true };
    const colours = await axe.run({
      ...common,
      runOnly: { type: "rule", values: ["color-contrast"] },
      checks: { "color-contrast": { options } },
    });
    unroll();
    for (const rule of colours.violations) rule.nodes = rule.nodes.filter((node) => !btg.isVisibleSymbol(node));
    const violations = [...others.violations, ...colours.violations].flatMap((rule) =>
      rule.nodes.map((node) => ({
        rule: rule.id,
        impact: rule.impact,
        target: node.target.join(" "),
        summary: `${rule.help}. ${node.failureSummary}`,
      })),
    );
    const undecided = [...others.incomplete, ...colours.incomplete].map((rule) => [rule.id, rule.nodes.length]);
    return { version: axe.version, violations, undecided: Object.fromEntries(undecided) };
  },

  // Shows all that scrolls in its full width, and what it stands in as wide; gives the function that undoes it.
  unroll() {
    const all = [...document.querySelectorAll("*")];
    const scrolling = all.filter((element) => ["auto", "scroll"].includes(btg.overflow(element)));
    const around = all.filter((element) => scrolling.some((inner) => element.contains(inner)));
    const opened = { overflow: "visible", width: "max-content", maxWidth: "none" };
    const closed = { overflow: "", width: "", maxWidth: "" };
    for (const element of around) Object.assign(element.style, opened);
    return () => around.forEach((element) => Object.assign(element.style, closed));
  },

  overflow: (element) => getComputedStyle(element).overflowX,

  isVisibleSymbol(node) {
    const text = document.querySelector(node.target[0]).textContent.trim();
    return node.any[0].data.contrastRatio >= 3 && /^[^\p{L}\p{N}]+$/u.test(text);
  },

  // --- a page by itself

  async facts() {
    for (const picture of document.querySelectorAll("img[loading=lazy]")) picture.loading = "eager";
    await Promise.all([...document.images].map((picture) => picture.decode().catch(() => 0)));
    const entries = (kind) => performance.getEntriesByType(kind);
    // Painted a moment after it was loaded.
    for (let frame = 0; frame < 60 && !entries("paint").length; frame++) await new Promise(requestAnimationFrame);
    const bare = [...document.images].filter((picture) => !picture.alt.trim());
    return {
      bytes: [...entries("navigation"), ...entries("resource")].reduce((sum, entry) => sum + entry.decodedBodySize, 0),
      paint: Object.fromEntries(entries("paint").map((entry) => [entry.name, Math.round(entry.startTime)])),
      bare: bare.map((picture) => picture.getAttribute("src")),
      headings: document.querySelectorAll("h1").length,
      lang: document.documentElement.lang,
      title: document.title.trim(),
    };
  },

  // What sticks out of the window, but for what scrolls by itself: a wide table may.
  wide() {
    const page = document.documentElement;
    if (page.scrollWidth <= page.clientWidth) return [];
    const scrolls = (element) => element && (btg.overflow(element) !== "visible" || scrolls(element.parentElement));
    const out = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > page.clientWidth + 1 && !scrolls(element.parentElement),
    );
    return out.length ? out.slice(0, 5).map(btg.name) : ["the page"];
  },

  name: (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120),

  // --- the keyboard

  // Remembers everything that a person must be able to come to, and how it looks without focus.
  prepare() {
    const reachable = "a[href], button, summary, input, select, textarea, [tabindex='0']";
    btg.all = [...document.querySelectorAll(reachable)].filter(
      (element) =>
        element.checkVisibility() && element.tabIndex >= 0 && !element.disabled && !element.closest("[inert]"),
    );
    btg.looks = btg.all.map(btg.look);
    return btg.all.map(btg.name);
  },

  look(element) {
    const style = getComputedStyle(element);
    const isClear = /^rgba\(.*, 0\)$/.test(style.outlineColor);
    const hasRing = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0 && !isClear;
    const ring = hasRing ? `${style.outlineStyle} ${style.outlineWidth} ${style.outlineColor}` : "none";
    return [ring, style.boxShadow, style.backgroundColor, style.border, style.textDecoration].join("; ");
  },

  // Where the focus is: its place among all (-1: none of them), whether that shows, and whether it is in view, uncovered.
  focus() {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement) return null;
    const place = btg.all.indexOf(element);
    const box = [...element.getClientRects()].find((rect) => rect.width > 1 && rect.height > 1);
    const [left, right] = [Math.max(box?.left ?? 0, 0), Math.min(box?.right ?? 0, innerWidth)];
    const [top, bottom] = [Math.max(box?.top ?? 0, 0), Math.min(box?.bottom ?? 0, innerHeight)];
    const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return {
      place,
      name: btg.name(element),
      link: element.tagName === "A" ? element.getAttribute("href") : null,
      shown: place < 0 || btg.look(element) !== btg.looks[place],
      seen: right > left && bottom > top && Boolean(element.contains(above) || above?.contains(element)),
    };
  },

  // Whether the focus is behind an element; where nothing follows, Tab starts again with the first of all.
  isBehind(identifier) {
    const target = document.getElementById(identifier);
    const element = document.activeElement;
    const isAround = [document.body, btg.all[0]].includes(element);
    const follows = target?.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
    return Boolean(target && (isAround || follows));
  },

  // What the head of a button's column says of its order, then the column.
  column(button) {
    const head = button.closest("th");
    const rows = [...head.closest("table").tBodies[0].rows];
    return [head.getAttribute("aria-sort"), ...rows.map((row) => row.cells[head.cellIndex]?.innerText)];
  },
};
