import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { ROOT } from "../../tests/support/run.ts";
import { memorySource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { type PickleContext, type PickleValue, unpickle } from "./pickle.ts";
import { openZip } from "./zip.ts";

/** A dict, a tensor and a storage, each of them anything at all. */
const CONTEXT: PickleContext<never> = {
  globals: new Map<string, (() => PickleValue<never>) | null>([
    ["collections.OrderedDict", () => new Map()],
    ["torch._utils._rebuild_tensor_v2", () => "tensor"],
    ["torch.FloatStorage", null],
  ]),
  persistent: () => "storage",
};

const load = (bytes: Uint8Array) => unpickle(bytes, CONTEXT, "x.pkl");
const program = (...parts: (number | string | number[])[]) =>
  new Uint8Array(
    parts.flatMap((part) =>
      typeof part === "number"
        ? [part]
        : typeof part === "string"
        ? [...new TextEncoder().encode(part)]
        : part
    ),
  );

async function pickleOf(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = memorySource(await Deno.readFile(join(ROOT, "tests/fixtures/torch", file)));
  const zip = await openZip(source, file);
  const [name] = [...zip.entries.keys()].filter((entry) => entry.endsWith("/data.pkl"));
  const entry = await zip.open(name);
  return await entry.read(0, entry.size);
}

Deno.test("numbers of every opcode", () => {
  const cases: [(number | string | number[])[], unknown][] = [
    [["K", 200], 200],
    [["M", [1, 2]], 513],
    [["J", [255, 255, 255, 255]], -1],
    [[0x8a, 0], 0],
    [[0x8a, 1, 0x80], -128],
    [[0x8a, 2, 0xff, 0x00], 255],
    [[0x8a, 8, [0, 0, 0, 0, 0, 0, 0, 0x80]], -(2n ** 63n)],
    [[0x8a, 7, [255, 255, 255, 255, 255, 255, 0x1f]], 2 ** 53 - 1],
    [[0x8a, 7, [0, 0, 0, 0, 0, 0, 0x20]], 2n ** 53n],
    [[0x8b, [1, 0, 0, 0], 7], 7],
    [["G", [0xbf, 0xf8, 0, 0, 0, 0, 0, 0]], -1.5],
  ];
  for (const [parts, expected] of cases) {
    assert.deepEqual(load(program(0x80, 2, ...parts, ".")), expected);
  }
});

Deno.test("values kept in the memo are the same object", () => {
  const value = load(program(0x80, 4, "]", 0x94, "0(h", 0, "h", 0, "t."));
  assert.ok(Array.isArray(value));
  assert.deepEqual(value, [[], []]);
  assert.equal(value[0], value[1]);
});

Deno.test("POP, POP_MARK and DUP move values as pickletools says", () => {
  assert.equal(load(program(0x80, 2, "K", 1, "K", 2, "0.")), 1);
  assert.equal(load(program(0x80, 2, "K", 1, "(K", 2, "K", 3, "1.")), 1);
  assert.deepEqual(load(program(0x80, 2, "K", 1, "2", 0x86, ".")), [1, 1]);
});

Deno.test("a long pickle meets its bounds before memory runs out", () => {
  const bombs: [string, RegExp][] = [
    ["]", /builds more than 2000000 objects/],
    ["(", /too many marks/],
    ["N", /stack exceeds 4000000/],
  ];
  for (const [opcode, message] of bombs) {
    const bytes = new Uint8Array(5_000_000).fill(opcode.charCodeAt(0));
    bytes.set([0x80, 2]);
    assert.throws(() => load(bytes), message);
  }
  assert.throws(() => load(new Uint8Array(65 * 2 ** 20)), /takes 68157440 bytes, more than/);
});

Deno.test("any bytes are a value or a refusal", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      (bytes) => refusedOrRead(program(0x80, 2, [...bytes])),
    ),
    { numRuns: 3000 },
  );
});

Deno.test("a pickle of PyTorch with bytes changed is a value or a refusal", async () => {
  for (const file of ["values.pt", "values_4.pt"]) {
    const good = await pickleOf(file);
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        refusedOrRead(bytes);
      }),
      { numRuns: 1000 },
    );
  }
});

function refusedOrRead(bytes: Uint8Array): void {
  try {
    load(bytes);
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, /^x\.pkl [^\n]*\.$/);
  }
}

Deno.test("a value that is nested through what it shares is as deep as it is", () => {
  const tuples = (count: number) => new Array<number>(count).fill(0x85);
  // ((...[]...), (...the first...)): the second is 99 levels of its own, and those of the first
  const shared = (second: number) =>
    program(0x80, 2, "(", "]", tuples(60), "q\0", "h\0", tuples(second), "t.");
  load(shared(30));
  assert.throws(() => load(shared(60)), (error: Error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /^x\.pkl .* it nests deeper than 100; /);
    return true;
  });
});
