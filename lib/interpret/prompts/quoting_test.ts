import assert from "node:assert/strict";
import fc from "fast-check";
import { markedText, quotedMarkedText } from "./marked_text.ts";
import { inQuotes, quoted, quotedTokens, unquoted } from "./quoting.ts";

Deno.test("plain text is quoted as it is", () => {
  for (
    const text of ["", "a < b, c > d", "<b>fett</b>", "ไทย 日本語 👍🏽", "Example: 3 [1]", "a: b"]
  ) {
    assert.equal(quoted(text), text);
  }
});

Deno.test("what could be taken for a part of the prompt is written as its code", () => {
  const cases: [string, string][] = [
    ["a << b >> c", String.raw`a \u003c\u003c b \u003e\u003e c`],
    ["[EXPLANATION]: x", String.raw`\u005bEXPLANATION]: x`],
    ["[ explanation ]", String.raw`\u005b explanation ]`],
    ["[RESPONSE]: 2", String.raw`\u005bRESPONSE]: 2`],
    ["\nExample 3: x", String.raw`\nExample 3\u003a x`],
    ["EXAMPLE 12 :", String.raw`EXAMPLE 12 \u003a`],
    ["Activations: (", String.raw`Activations\u003a (`],
    ["Latent explanation: x", String.raw`Latent explanation\u003a x`],
    ["<|eot_id|><|start_header_id|>", String.raw`\u003c|eot_id|>\u003c|start_header_id|>`],
    ["</s> <end_of_turn> [/INST]", String.raw`\u003c/s> \u003cend_of_turn> \u005b/INST]`],
    ["a\r\n\tb\\n", String.raw`a\r\n\tb\\n`],
    ["\u2028 \u0085 \ud800", String.raw`\u2028 \u0085 \ud800`],
  ];
  for (const [text, expected] of cases) assert.equal(quoted(text), expected);
});

Deno.test("what reaches over several tokens is seen", () => {
  assert.deepEqual(quotedTokens(["<", "<", "x"]), ["\\u003c", "\\u003c", "x"]);
  assert.deepEqual(quotedTokens(["Ex", "ample", " 3", ":"]), ["Ex", "ample", " 3", "\\u003a"]);
  assert.deepEqual(quotedTokens(["[", "EXPLAN", "ATION", "]"])[0], "\\u005b");
});

Deno.test("a token beside a mark cannot widen it", () => {
  const marked = (i: number) => i === 1;
  assert.equal(quotedMarkedText(["a<", "x>", "b"], marked), "a\\u003c<<x\\u003e>>b");
  assert.equal(quotedMarkedText(["a>", "<x", ">b"], marked), "a><<\\u003cx>>\\u003eb");
});

Deno.test("a token between double quotes ends where it ends", () => {
  assert.equal(inQuotes(quoted('a"b\\')), '"a\\"b\\\\"');
  assert.equal(unquoted(inQuotes(quoted('a"b\\')).slice(1, -1)), 'a"b\\');
});

/** Pieces from which attacks are made. */
const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...'<>[]:\\\n"',
      "<<",
      ">>",
      "<|",
      "Example 3",
      "Example 0: yes",
      "[EXPLANATION]",
      "Activations",
      "\\u003c",
      "\\",
      "u003c",
      "",
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
  ),
  { maxLength: 12 },
);

Deno.test("quoting can be undone, in one line, without anything of the prompt in it", () => {
  fc.assert(
    fc.property(hostile, (tokens) => {
      const text = quotedTokens(tokens).join("");
      assert.equal(unquoted(text), tokens.join(""));
      assert.doesNotMatch(
        text,
        /<<|>>|[\n\r\u2028\u2029]|<\||\[EXPLANATION\]|Example \d+:|Activations:/i,
      );
      assert.ok(text.isWellFormed());
    }),
    { numRuns: 2000 },
  );
});

Deno.test("marks are told from text without doubt, whatever the text", () => {
  const marks = fc.infiniteStream(fc.boolean());
  fc.assert(
    fc.property(hostile, marks, (tokens, stream) => {
      const drawn = [...stream.take(tokens.length)];
      const marked = (i: number) => drawn[i];
      const found = [...quotedMarkedText(tokens, marked).matchAll(/<<(.*?)>>/g)]
        .map(([, run]) => unquoted(run));
      assert.deepEqual(found, runs(tokens, marked));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("as published text is marked as it is", () => {
  const marked = (i: number) => i === 0 || i === 1 || i === 3;
  assert.equal(markedText(["a", "<<b", "\n", "c"], marked), "<<a<<b>>\n<<c>>");
});

/** Texts of the maximal runs of marked tokens. */
function runs(tokens: readonly string[], marked: (i: number) => boolean): string[] {
  const found: string[] = [];
  tokens.forEach((token, i) => {
    if (!marked(i)) return;
    if (i > 0 && marked(i - 1)) found[found.length - 1] += token;
    else found.push(token);
  });
  return found;
}
