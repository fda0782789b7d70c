/** The generators give what CPython and torch give. */
import assert from "node:assert/strict";
import golden from "../../tests/fixtures/interpret_examples/random.json" with { type: "json" };
import { MersenneTwister, PythonRandom } from "./mersenne_twister.ts";

Deno.test("raw words of torch.manual_seed(42)", () => {
  const twister = new MersenneTwister(42);
  const words = Array.from({ length: 4 }, () => twister.next());
  assert.deepEqual(words, [1608637542, 3421126067, 4083286876, 787846414]);
});

for (const { seed, below, values } of golden.torch) {
  Deno.test(`torch.randint below ${below} with seed ${seed}`, () => {
    const twister = new MersenneTwister(seed);
    assert.deepEqual(values.map(() => twister.remainder(below)), values);
  });
}

for (const { seed, draws, results } of golden.python) {
  Deno.test(`random.Random(${seed})`, () => {
    const random = new PythonRandom(seed);
    for (const [i, [kind, size, count]] of draws.entries()) {
      assert.deepEqual(drawn(random, String(kind), Number(size), Number(count)), results[i]);
    }
  });
}

function drawn(random: PythonRandom, kind: string, size: number, count: number) {
  switch (kind) {
    case "bits":
      return random.bits(size);
    case "below":
      return random.below(size);
    case "sample":
      return random.sampleBelow(size, count);
  }
  const list = Array.from({ length: size }, (_, i) => i);
  random.shuffle(list);
  return list;
}

Deno.test("values that the spec gives", () => {
  const random = new PythonRandom(22);
  assert.deepEqual(Array.from({ length: 3 }, () => random.sampleBelow(669, 5)), [
    [143, 248, 24, 627, 457],
    [188, 123, 667, 353, 81],
    [237, 275, 50, 327, 615],
  ]);
  const list = Array.from({ length: 100 }, (_, i) => i);
  new PythonRandom(42).shuffle(list);
  assert.deepEqual(list.slice(0, 10), [42, 41, 91, 9, 65, 50, 1, 70, 15, 78]);
});

Deno.test("a sample of a list has its elements", () => {
  const list = Array.from({ length: 669 }, (_, i) => `number ${i}`);
  const numbers = new PythonRandom(22).sampleBelow(669, 5);
  assert.deepEqual(new PythonRandom(22).sample(list, 5), numbers.map((i) => `number ${i}`));
});

Deno.test("what cannot be drawn is refused", () => {
  const random = new PythonRandom(1);
  assert.throws(() => random.sampleBelow(3, 4), RangeError);
  assert.throws(() => random.below(0), RangeError);
  assert.throws(() => random.below(2 ** 32), RangeError);
  assert.throws(() => new PythonRandom(0.5), RangeError);
});
