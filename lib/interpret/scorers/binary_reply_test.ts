import assert from "node:assert/strict";
import fc from "fast-check";
import { binaryReply, publishedBinaryReply } from "./binary_reply.ts";

const [yes, no] = [true, false];

Deno.test("answers are as many 0s and 1s as there are examples, in the last list", () => {
  const cases: [string, boolean[]][] = [
    ["[1,0,1]", [yes, no, yes]],
    [" [1, 0,\n 1]\n", [yes, no, yes]],
    ['{"answers": [1, 0, 1]}', [yes, no, yes]],
    ["[true, false, 1]", [yes, no, yes]],
    ["```python\n[1,0,1]\n```", [yes, no, yes]],
    ["As in [0,0,0] of the examples, so [1,0,1].", [yes, no, yes]],
    ["<think>[0,0,0]</think>[1,0,1]", [yes, no, yes]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(binaryReply(text, 3), expected, text);
});

Deno.test("anything else is no answer", () => {
  const texts = [
    "",
    "1,0,1",
    "[]",
    "[1,0]",
    "[1,0,1,0]",
    "[1,0,2]",
    "[1,0,0.5]",
    '["1","0","1"]',
    "[1,0,null]",
    "[1,0,1",
    "[1,0,1,]",
    "[1,0,1] or rather [1,0]",
    "[1,0,1]</think>",
  ];
  for (const text of texts) assert.equal(binaryReply(text, 3), undefined, text);
});

Deno.test("as published: the first list of one line, and what Python takes for true", () => {
  const cases: [string, boolean[] | undefined][] = [
    ["[1,0,1]", [yes, no, yes]],
    ["so [1,0,1], not [0,0,0]", [yes, no, yes]],
    ['[2, "0", ""]', [yes, yes, no]],
    ['[null, 0.0, {"a": 1}]', [no, no, yes]],
    ["[{}, true, false]", [no, yes, no]],
    ["[1,\n0,1] [0,0,1]", [no, no, yes]],
    ["[1,0]", undefined],
    ["[a] [1,0,1]", undefined],
    ["[1,[0],1]", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(publishedBinaryReply(text, 3), expected, text);
  }
});

Deno.test("whatever a model says, an answer has one entry per example or is none", () => {
  const part = fc.constantFrom("[", "]", "0", "1", ",", " ", "true", "\n", '"', "null", "-");
  fc.assert(fc.property(fc.array(part).map((parts) => parts.join("")), fc.nat(4), (text, count) => {
    for (const read of [binaryReply, publishedBinaryReply]) {
      assert.ok([undefined, count].includes(read(text, count)?.length));
    }
  }));
});
