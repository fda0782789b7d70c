import assert from "node:assert/strict";
import { specialise } from "./template.ts";

Deno.test("values and integer arithmetic", () => {
  assert.equal(specialise("a${N}b${4 * (N + 1) - 7 / 2 % 2}", { N: 3 }), "a3b15");
  assert.equal(specialise("${TYPE}${-N}", { TYPE: "f32", N: 2 }), "f32-2");
});

Deno.test("loops unroll, nest and may be empty", () => {
  const source =
    "#for i in 0..2\n#for j in i..2\nv${i}_${j}\n#end\n#end\n#for i in 2..2\nno\n#end\nend";
  assert.equal(specialise(source, {}), "v0_0\nv0_1\nv1_1\nend");
});

Deno.test("branches: the first that holds, inside loops too", () => {
  const source = '#if W == "bf16"\none\n#elif W == "f16" && N > 1\ntwo\n#else\nthree\n#end';
  assert.equal(specialise(source, { W: "bf16", N: 9 }), "one");
  assert.equal(specialise(source, { W: "f16", N: 2 }), "two");
  assert.equal(specialise(source, { W: "f16", N: 1 }), "three");
  assert.equal(specialise("#for i in 0..3\n#if i == 1 || !1\nx${i}\n#end\n#end", {}), "x1");
});

Deno.test("a branch that is not taken is not evaluated", () => {
  assert.equal(specialise("#if 0\n${UNKNOWN}\n#end\nok", {}), "ok");
});

Deno.test("mistakes name the line", () => {
  const fails = (source: string, message: RegExp) =>
    assert.throws(() => specialise(source, { N: 1, S: "s" }), (error: Error) => {
      assert.ok(error instanceof SyntaxError);
      assert.match(error.message, message);
      return true;
    });
  fails("x\n${M}", /line 2: unknown name "M"/);
  fails("#for i in 0..N\n", /line 1: block has no #end/);
  fails("#if N\n#for i in 0..2\n#end", /line 1: block has no #end/);
  fails("#end", /line 1: #end without a block/);
  fails("#for i of N\n#end", /line 1: expected "#for name in/);
  fails("${N +}", /ends too early/);
  fails("${(N}", /lacks a "\)"/);
  fails("${N N}", /not expected/);
  fails("${N ? 1}", /cannot read/);
  fails("${S * 2}", /not an integer/);
  fails("${constructor}", /unknown name/);
});
