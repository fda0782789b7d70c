import assert from "node:assert/strict";
import { KeptTexts } from "./kept_texts.ts";

Deno.test("texts are read once, until those asked for longest ago have to go", () => {
  const read: number[] = [];
  const texts = new KeptTexts((id) => {
    read.push(id);
    return { id, language: 0, label: `row ${id}`, pieces: ["abc", ""] };
  }, 8);
  for (const id of [1, 2, 1, 2]) assert.equal(texts.get(id).id, id);
  assert.deepEqual(read, [1, 2]);
  texts.get(1);
  texts.get(3); // 2 has to go
  texts.get(1);
  assert.deepEqual(read, [1, 2, 3]);
  texts.get(2); // and now 3
  texts.get(1);
  assert.deepEqual(read, [1, 2, 3, 2]);
});

Deno.test("a text that is longer than all that is kept is given all the same", () => {
  let reads = 0;
  const texts = new KeptTexts((id) => {
    reads++;
    return { id, language: 0, label: "", pieces: ["a".repeat(9)] };
  }, 8);
  assert.equal(texts.get(0).pieces[0].length, 9);
  assert.equal(texts.get(0).pieces[0].length, 9);
  assert.equal(reads, 2);
});
