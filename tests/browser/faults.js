// Gives the faults of the page it runs in, as sentences; none for a page in order (test_every_page.py).
() => {
  const faults = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const name = (element) => {
    const by = element.getAttribute("aria-labelledby");
    const label = by ? by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ")
      : element.getAttribute("aria-label") ?? [...(element.labels ?? [])].map((each) => each.textContent).join(" ");
    return (label || element.textContent || "").trim();
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const what = (element) => element.outerHTML.slice(0, 90);

  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    faults.push(`overflows: ${document.documentElement.scrollWidth} of ${document.documentElement.clientWidth}`);
  }
  if (all("h1").length !== 1) faults.push(`h1: ${all("h1").length}`);
  if (all("main").length !== 1) faults.push("main");
  if (!document.title.trim() || !document.documentElement.lang) faults.push("title or language");
  let level = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) faults.push(`heading skips: ${what(heading)}`);
    level = next;
  }
  for (const field of all("input:not([type=hidden]), select, textarea")) {
    if (!name(field)) faults.push(`no label: ${what(field)}`);
  }
  for (const control of all("a[href], button, summary")) {
    if (!name(control)) faults.push(`no name: ${what(control)}`);
    const box = control.getBoundingClientRect();
    const inline = getComputedStyle(control).display === "inline";
    if (seen(control) && !inline && !control.classList.contains("skip") && (box.width < 24 || box.height < 24)) {
      faults.push(`target of ${Math.round(box.width)} by ${Math.round(box.height)}: ${what(control)}`);
    }
  }
  const ids = all("[id]").map((element) => element.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`id twice: ${id}`));
  for (const element of all("[aria-describedby], [aria-labelledby], label[for]")) {
    const names = ["aria-describedby", "aria-labelledby", "for"];
    const refs = names.flatMap((each) => (element.getAttribute(each) ?? "").split(" "));
    refs.filter((id) => id && !document.getElementById(id)).forEach((id) => faults.push(`leads nowhere: ${id}`));
  }
  for (const picture of all("svg")) {
    if (picture.getAttribute("aria-hidden") !== "true" && !picture.getAttribute("aria-label")) {
      faults.push(`svg: ${what(picture)}`);
    }
  }
  for (const list of all("ul, ol")) {
    if ([...list.children].some((child) => child.tagName !== "LI")) faults.push(`list: ${what(list)}`);
  }
  for (const region of all("section")) {
    if (!name(region)) faults.push(`region: ${what(region)}`);
  }
  return faults;
}
