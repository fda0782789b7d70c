import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { columnPrompt, parsePromptTemplate } from "./prompts.ts";

const render = (template: string, ...cells: unknown[]) =>
  parsePromptTemplate(template).render(cells, "x row 3");

Deno.test("fields in braces, doubled braces for the brace itself", () => {
  assert.equal(render("{premise} {hypothesis}", "A b.", "C."), "A b. C.");
  assert.equal(render("{{{a}}} {{b}} {a}", "x"), "{x} {b} x");
  assert.equal(render("{a b}:{c.d}", "1", "2"), "1:2");
  assert.deepEqual(parsePromptTemplate("{b}{a}{b}").columns, ["b", "a"]);
  assert.equal(render("{b}{a}{b}", "1", "2"), "121");
  assert.equal(columnPrompt("a{b").render(["x"], "x"), "x");
  assert.equal(columnPrompt("__proto__").render(["x"], "x"), "x");
});

Deno.test("cells are taken as they are: no braces, no trimming", () => {
  assert.equal(render("{a}", " {b} $& "), " {b} $& ");
});

Deno.test("a row without a cell, or of blanks, has no text", () => {
  assert.equal(render("{a} {b}", "x", null), undefined);
  assert.equal(render("{a} {b}", "x"), undefined);
  assert.equal(render("{a}", " \n"), undefined);
  assert.equal(render("{a} {b}", "x", ""), "x ");
});

Deno.test("templates and cells that cannot be used are refused", () => {
  const cases: [() => unknown, RegExp][] = [
    [() => parsePromptTemplate("{a"), /has a single "\{", .* write \{\{ for/],
    [() => parsePromptTemplate("a}"), /has a single "\}"/],
    [() => parsePromptTemplate("{}"), /has a single "\{"/],
    [() => parsePromptTemplate("{a{b}}"), /has a single "\{"/],
    [() => parsePromptTemplate("text"), /names no column/],
    [() => parsePromptTemplate("{{text}}"), /names no column/],
    [() => render("{a}", 5), /^x row 3 has a number for "a", expected text; .*--text-column\.$/],
    [() => render("{a}", { en: "x" }), /has an object for "a"/],
  ];
  for (const [work, message] of cases) {
    assert.throws(
      work,
      (error: Error) => error instanceof InputError && message.test(error.message),
    );
  }
});
