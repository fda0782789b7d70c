import assert from "node:assert/strict";
import { babelscope } from "../tests/support/run.ts";

Deno.test("bench: a section that there is not is named, with those that there are", async () => {
  const { code, stdout, stderr } = await babelscope(["bench", "--only", "encode,kernel"]);
  assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
  assert.match(stderr, /^babelscope bench: --only: expected kernels, encode.*, got "kernel"/);
  assert.equal(stderr.trim().split("\n").length, 1);
});
