/**
 * Text of corpora inside a prompt, so that it cannot leave its place: it could hold the marks of
 * important tokens, the heading of the next example, the marker of an answer, or the tokens with which
 * chat templates end a turn.
 *
 * The rule, which {@linkcode unquoted} undoes: line ends, tabs and other controls are written as in JSON
 * (`\n`, `\u0085`), a backslash is doubled, and one character of whatever could be taken for a part of
 * the prompt is written as its code:
 *
 * - `<` and `>` beside another of their kind or beside a mark: `a \u003c\u003c b`
 * - `<` of a control token: `\u003c|eot_id|>`
 * - `[` of an answer's marker and of `[INST]`: `\u005bEXPLANATION]:`
 * - the colon of a heading: `Example 3\u003a`, `Activations\u003a`
 */

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\\]/gu;
const CONTROL_TOKEN = /<(?=\||\/?(?:s|bos|eos|pad|unk|im_start|im_end|(?:start|end)_of_turn)>)/gi;
const MARKER = /\[(?=[\s/]*(?:explanation|response|inst|system_prompt|available_tools)\s*\])/gi;
const HEADING =
  /(?<=(?:example\s*\d+|activations|latent explanation|activating examples|(?:text|test) examples)\s*):/gi;
const ANGLES = /<(?=<)|(?<=<)<|>(?=>)|(?<=>)>/g;

const NAMED = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"], ["\\", "\\\\"]]);

/** Text of a corpus, or of an explanation, as it stands in a prompt: one line. */
export function quoted(text: string): string {
  return quotedTokens([text])[0];
}

/**
 * The tokens of a text as they stand in a prompt. What reaches over several tokens is seen too.
 *
 * @param marked which tokens will be put between `<<` and `>>`
 */
export function quotedTokens(
  tokens: readonly string[],
  marked: (token: number) => boolean = () => false,
): string[] {
  const text = tokens.join("");
  const places = new Set<number>();
  for (const unsafe of [CONTROL, CONTROL_TOKEN, MARKER, HEADING, ANGLES]) {
    for (const { index } of text.matchAll(unsafe)) places.add(index);
  }
  for (const { place, mark } of marks(tokens, marked)) {
    for (const beside of [place - 1, place]) if (text[beside] === mark) places.add(beside);
  }
  let start = 0;
  return tokens.map((token) => {
    const from = start;
    start += token.length;
    return token.replace(/[^]/g, (unit, at) => places.has(from + at) ? escaped(unit) : unit);
  });
}

/** A quoted token between double quotes. */
export function inQuotes(quotedToken: string): string {
  return `"${quotedToken.replaceAll('"', '\\"')}"`;
}

/** What was quoted. */
export function unquoted(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-f]{4})|([nrt\\"]))/g,
    (_, code: string | undefined, name: string) =>
      code === undefined
        ? UNNAMED.get(name) ?? name
        : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

const UNNAMED = new Map([["n", "\n"], ["r", "\r"], ["t", "\t"]]);

/** Where marks stand in the joined text: before its character `place`. */
function marks(
  tokens: readonly string[],
  marked: (token: number) => boolean,
): { place: number; mark: "<" | ">" }[] {
  let place = 0;
  let inside = false;
  const found: { place: number; mark: "<" | ">" }[] = [];
  for (let i = 0; i <= tokens.length; i++) {
    const next = i < tokens.length && marked(i);
    if (next !== inside) found.push({ place, mark: next ? "<" : ">" });
    inside = next;
    place += tokens[i]?.length ?? 0;
  }
  return found;
}

function escaped(unit: string): string {
  return NAMED.get(unit) ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
