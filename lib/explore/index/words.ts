/** Searching: what is looked through, and what a visitor's words ask for. */

/** Terms of one search; more are left out. */
const MOST_TERMS = 8;

/** A text as it is looked through: without case and without differences of encoding. */
export function folded(text: string): string {
  return text.normalize("NFKC").toLowerCase().normalize("NFKC").toWellFormed()
    .replaceAll("\0", "");
}

/**
 * Patterns of LIKE, escaped by a backslash, that must all be found.
 *
 * @param text what was typed: terms between white space
 */
export function searchPatterns(text: string): string[] {
  return folded(text).split(/\s+/).filter(Boolean).slice(0, MOST_TERMS)
    .map((term) => `%${term.replace(/[\\%_]/g, "\\$&")}%`);
}
