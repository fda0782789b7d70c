/// <reference lib="dom" />
import { elements } from "./elements.ts";

/** Marks in the contents which section is being read. */
export function markContents(): void {
  const links = new Map(
    elements<HTMLAnchorElement>(".contents a").map((link) => [link.hash.slice(1), link]),
  );
  const sections = [...links.keys()].flatMap((id) => document.getElementById(id) ?? []);
  const mark = () => {
    const line = innerHeight / 3;
    const read = sections.findLast((section) => section.getBoundingClientRect().top < line) ??
      sections[0];
    for (const [id, link] of links) {
      if (id === read?.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  let waiting = false;
  addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  }, { passive: true });
  mark();
}
