import assert from "node:assert/strict";
import { InputError } from "../../formats/input_error.ts";
import { explanationOf, isLoop, LONGEST_EXPLANATION, publishedExplanation } from "./answer.ts";
import { storedExplanation } from "./stored_explanation.ts";

const USAGE = { promptTokens: 1, completionTokens: 1 };
const reply = (text: string, finish = "stop") => ({ text, finish, usage: USAGE, cached: false });
const read = (text: string, finish?: string) => explanationOf(reply(text, finish));

Deno.test("as published all after the first marker is the explanation", () => {
  const cases: [string, string][] = [
    ["Thoughts.\n[EXPLANATION]:  names of rivers \n", "names of rivers"],
    ["[EXPLANATION]: a\n[EXPLANATION]: b", "a\n[EXPLANATION]: b"],
    ["[EXPLANATION]:", ""],
    ["[explanation]: a", "Explanation could not be parsed."],
    ["", "Explanation could not be parsed."],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(publishedExplanation(reply(text, "length")), { text: expected });
  }
});

Deno.test("all after the last marker is the explanation", () => {
  const cases: [string, string][] = [
    ["The line [EXPLANATION]: is last.\n[EXPLANATION]: names of rivers\n", "names of rivers"],
    ["**[EXPLANATION]:** names of rivers", "names of rivers"],
    ["**[EXPLANATION]**: names of rivers", "names of rivers"],
    ['[Explanation]: "names of rivers"', "names of rivers"],
    ['[EXPLANATION]: "of" before "the"', '"of" before "the"'],
    ["<think>[EXPLANATION]: a</think>\n[EXPLANATION]: b", "b"],
    ["[EXPLANATION]: คำว่า “แม่น้ำ” ในภาษาไทย", "คำว่า “แม่น้ำ” ในภาษาไทย"],
  ];
  for (const [text, expected] of cases) assert.deepEqual(read(text), { text: expected });
});

Deno.test("answers that are of no use have a problem", () => {
  const cases: [string, string, string | undefined][] = [
    ["names of rivers", "unparsable", undefined],
    ["<think>[EXPLANATION]: a</think> b", "unparsable", undefined],
    ["", "empty", undefined],
    ["[EXPLANATION]: \n", "empty", undefined],
    ["[EXPLANATION]: names of", "truncated", "length"],
    ["I think that", "truncated", "length"],
    [`[EXPLANATION]: ${"the river ".repeat(500)}`, "degenerate", "length"],
    [`[EXPLANATION]: words${"的".repeat(60)}`, "degenerate", undefined],
    [`[EXPLANATION]: ${varied(LONGEST_EXPLANATION + 1)}`, "degenerate", undefined],
    ["[EXPLANATION]: Common idioms in text conveying positive sentiment.", "degenerate", undefined],
    ["[EXPLANATION]: Example 1:  and he was <<over", "degenerate", undefined],
    ["[EXPLANATION]: the token <<er>>", "degenerate", undefined],
  ];
  for (const [text, problem, finish] of cases) {
    assert.equal(read(text, finish).problem, problem, text);
  }
});

Deno.test("of a useless answer enough is kept to see what it was", () => {
  assert.equal(read("names of rivers").text, "names of rivers");
  assert.equal(read(`[EXPLANATION]: ${varied(9000)}`).text, varied(9000).slice(0, 2000));
});

Deno.test("loops are told from texts", () => {
  for (
    const text of [
      "a, b, c, ".repeat(10),
      "x".repeat(40),
      `Names of rivers. ${"and so on and on ".repeat(8)}and so`,
      shuffledWords(["ja", "nein", "doch"], 60),
    ]
  ) assert.ok(isLoop(text), text);
  for (
    const text of [
      "",
      "ha ha ha ha",
      "Numbers from 1 to 10000000000 and their digits, above all zeros.",
      "The suffix “-heit” or “-keit” at the end of German nouns that are made from adjectives, and the same suffix in the plural.",
      varied(1000),
    ]
  ) assert.ok(!isLoop(text), text);
});

Deno.test("an explanation of an earlier run is read again", () => {
  assert.equal(storedExplanation('"a \\"b\\" ü"', "file"), 'a "b" ü');
  for (const text of ["", "a", "7", '{"text": "a"}', '"a']) {
    assert.throws(() => storedExplanation(text, "x_latent3.txt"), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /^x_latent3\.txt is not an explanation: expected a JSON string/);
      return true;
    });
  }
});

/** Text without repetition. */
function varied(length: number): string {
  return Array.from({ length }, (_, i) => `word${i}`).join(" ").slice(0, length);
}

/** Few words in an order that has no period. */
function shuffledWords(words: readonly string[], count: number): string {
  return Array.from({ length: count }, (_, i) => words[(i * i + (i >> 2)) % words.length]).join(
    " ",
  );
}
