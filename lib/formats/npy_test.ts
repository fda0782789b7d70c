import assert from "node:assert/strict";
import { InputError } from "./input_error.ts";
import { parseNpyHeader } from "./npy.ts";

/** An .npy file up to its first element. */
function npy(header: string, { major = 1, length = header.length } = {}): Uint8Array {
  const bytes = new Uint8Array((major === 1 ? 10 : 12) + header.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), major, 0]);
  const view = new DataView(bytes.buffer);
  if (major === 1) view.setUint16(8, length, true);
  else view.setUint32(8, length, true);
  bytes.set(new TextEncoder().encode(header), bytes.length - header.length);
  return bytes;
}

const dict = (shape: string, descr = "'<f4'", order = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }   \n`;

Deno.test("a header is read in every version and order of keys", () => {
  for (const major of [1, 2, 3]) {
    const bytes = npy(dict("(2, 30)"), { major });
    assert.deepEqual(parseNpyHeader(bytes, "x"), {
      dtype: "F32",
      shape: [2, 30],
      dataStart: bytes.length,
      dataBytes: 240,
    });
  }
  const turned = npy("{'shape': (7L,), 'fortran_order': True, 'descr': '|b1'}\n");
  assert.deepEqual(parseNpyHeader(turned, "x").shape, [7]);
  assert.deepEqual(parseNpyHeader(npy(dict("()")), "x").shape, []);
  assert.deepEqual(parseNpyHeader(npy(dict("(0, 3)")), "x").dataBytes, 0);
});

const REFUSED: readonly [string, RegExp, Uint8Array][] = [
  ["no magic", /does not start as one/, new Uint8Array(20)],
  ["nothing", /does not start as one/, new Uint8Array()],
  ["version 4", /version is 4\.0, expected 1\.0, 2\.0 or 3\.0/, npy(dict("()"), { major: 4 })],
  ["a header cut off", /cut off/, npy(dict("(2,)"), { length: 300 })],
  [
    "a header of 4 GiB",
    /claims 4294967295 bytes/,
    npy(dict("()"), { major: 2, length: 2 ** 32 - 1 }),
  ],
  ["a long header", /too long/, npy(dict("(2,)").trimEnd() + "#".repeat(5000))],
  ["code", /cannot be read/, npy(dict("__import__('os').getcwd()"))],
  ["a number as shape", /is no tuple/, npy(dict("(7)"))],
  ["a negative size", /cannot be read/, npy(dict("(-1,)"))],
  ["an empty size", /cannot be read/, npy(dict("(1,,2)"))],
  ["sizes whose product is past 2^53", /cannot be/, npy(dict("(4294967296, 4294967296)"))],
  ["65 dimensions", /cannot be/, npy(dict(`(${"1, ".repeat(65)})`))],
  ["a key twice", /cannot be read/, npy("{'shape': (), 'shape': (), 'descr': '<f4', }")],
  ["a missing key", /cannot be read/, npy("{'shape': (), 'descr': '<f4', }")],
  ["an unknown key", /cannot be read/, npy(dict("()").replace("}", "'x': True}"))],
  ["text after the dict", /cannot be read/, npy(dict("()").trimEnd() + " + f()")],
  ["a type that a prototype has", /element type "constructor"/, npy(dict("()", "'constructor'"))],
  ["a value of the wrong kind", /cannot be read/, npy(dict("()", "True"))],
  ["big-endian elements", /element type ">f4", expected one of <f8 <f4/, npy(dict("()", "'>f4'"))],
  ["column-major order", /column-major/, npy(dict("(2, 3)", "'<f4'", "True"))],
];

for (const [name, message, bytes] of REFUSED) {
  Deno.test(`refused: ${name}`, () =>
    assert.throws(() => parseNpyHeader(bytes, "x.npy"), (error: Error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.match(error.message, /^x\.npy .*\.$/);
      return true;
    }));
}

Deno.test("a shape made to be slow to match is refused at once", () => {
  const started = performance.now();
  for (const digits of ["1".repeat(4000), "1, ".repeat(1300), "1,1 ".repeat(1000)]) {
    assert.throws(() => parseNpyHeader(npy(dict(`(${digits}`)), "x"), InputError);
  }
  // spaces that do not end the header
  assert.throws(() => parseNpyHeader(npy(`${" ".repeat(65_000)}x`), "x"), InputError);
  assert.ok(performance.now() - started < 1000);
});
