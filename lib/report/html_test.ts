import assert from "node:assert/strict";
import { markup, trusted } from "./html.ts";

Deno.test("markup escapes values and nothing else", () => {
  const text = `<img src=x onerror="alert('1')"> & more`;
  const escaped = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more";
  assert.equal(
    markup`<p title="${text}">${text}</p>`.source,
    `<p title="${escaped}">${escaped}</p>`,
  );
});

Deno.test("markup takes fragments, numbers and lists of them", () => {
  const items = ["a", "<b>"].map((item) => markup`<li>${item}</li>`);
  assert.equal(markup`<ul>${items}</ul>${3}`.source, "<ul><li>a</li><li>&lt;b&gt;</li></ul>3");
});

Deno.test("an object that merely looks like a fragment is no fragment", () => {
  const forged = JSON.parse(`{"source": "<script>"}`);
  assert.throws(() => markup`${forged}`, TypeError);
});

Deno.test("markup shows unseen characters, trusted text stays as it is", () => {
  assert.equal(markup`${"a\u202Eb"}`.source, "a⟨U+202E⟩b");
  assert.equal(markup`${trusted("<b>\n")}`.source, "<b>\n");
});
