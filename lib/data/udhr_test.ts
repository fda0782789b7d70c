import assert from "node:assert/strict";
import { parseDeclaration } from "./udhr.ts";

Deno.test("paragraphs and list items are rows, headings are not, items around paragraphs neither", () => {
  const html = `<h1>Title</h1><header><h2>Preamble</h2><p>Zero\n  one</p></header>
    <article data-number="1"><h2>Article 1</h2><p>A <em>b</em> &amp; &#233;&#xE9; &unknown;</p></article>
    <article data-number="2"><ol><li>
      <p>x</p>
    </li><li>y</li><li><p></p></li></ol></article><p>after</p>`;
  assert.deepEqual(parseDeclaration(html), [
    { text: "Zero one", article: 0 },
    { text: "A b & éé &unknown;", article: 1 },
    { text: "x", article: 2 },
    { text: "y", article: 2 },
    { text: "after", article: 0 },
  ]);
});
