/** Corpus text and tokens as they may be shown: nothing invisible, nothing that reorders the page. */

/**
 * Controls, bidirectional controls, line separators, unpaired surrogates and characters without
 * width. The joiners U+200C and U+200D stay: Indic scripts and emoji are spelt with them.
 */
const UNSEEN = new RegExp(
  "[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}" +
    "\\u{AD}\\u{200B}\\u{2060}-\\u{2064}\\u{FEFF}\\u{FFF9}-\\u{FFFB}\\u{E0000}-\\u{E007F}]",
  "gu",
);

const PICTURES = new Map([["\n", "↵"], ["\t", "⇥"], ["\x7f", "␡"]]);

function picture(character: string): string {
  const code = character.codePointAt(0)!;
  const named = PICTURES.get(character);
  if (named !== undefined) return named;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

/**
 * The text with every unseen character replaced by something to see: ↵ for a line feed, ␛ for
 * escape, ⟨U+202E⟩ for a right-to-left override, � for an unpaired surrogate.
 */
export function visibleText(text: string): string {
  return text.replace(UNSEEN, picture);
}

/** At most `limit` UTF-16 units, never half a surrogate pair; says how long the text really was. */
export function clipText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const kept = text.slice(0, limit).replace(/[\ud800-\udbff]$/, "");
  return `${kept}… (${text.length.toLocaleString("en")} characters)`;
}
