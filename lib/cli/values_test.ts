import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import { each, integer, number, oneOf, size, type ValueParser } from "./values.ts";

function refuses(parse: ValueParser<unknown>, text: string, message: RegExp): void {
  assert.throws(() => parse(text), (error: unknown) => {
    assert.ok(error instanceof InvalidArgumentError);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("whole numbers are decimal digits and nothing else", () => {
  assert.equal(integer()("0"), 0);
  assert.equal(integer()("-12"), -12);
  assert.equal(integer()("9007199254740991"), Number.MAX_SAFE_INTEGER);
  for (const text of ["", " ", "1.0", "1e3", "0x10", "12px", "inf", "9007199254740992"]) {
    refuses(integer(), text, /^expected a whole number, got ".*"\.$/);
  }
});

Deno.test("bounds are included and named", () => {
  assert.equal(integer({ min: 1 })("1"), 1);
  refuses(integer({ min: 1 }), "0", /^expected a whole number of at least 1, got "0"\.$/);
  assert.equal(number({ min: 0, max: 1 })("1"), 1);
  refuses(number({ min: 0, max: 1 }), "1.01", /^expected a number from 0 to 1, got "1\.01"\.$/);
  refuses(number({ max: 5 }), "6", /^expected a number of at most 5, got "6"\.$/);
});

Deno.test("numbers may have a fraction and an exponent", () => {
  const written = { "0.5": 0.5, ".5": 0.5, "5.": 5, "-1e-3": -0.001, "+2E2": 200 };
  for (const [text, value] of Object.entries(written)) assert.equal(number()(text), value);
  for (const text of ["", "abc", "0,5", "1_000", "NaN", "1e", "--1", "0x1p3", "Infinity", "inf"]) {
    refuses(number(), text, /^expected a number, got/);
  }
});

Deno.test("infinity is accepted only where it means something", () => {
  const anything = number({ infinite: true });
  for (const text of ["inf", "Inf", "+inf", "Infinity"]) assert.equal(anything(text), Infinity);
  assert.equal(anything("-inf"), -Infinity);
  refuses(number({ min: 0, infinite: true }), "-inf", /of at least 0 or inf, got "-inf"/);
});

Deno.test("sizes are bytes, with decimal and binary units", () => {
  const written = {
    "512": 512,
    "512B": 512,
    "2GiB": 2147483648,
    "2 GB": 2000000000,
    "1.5MiB": 1572864,
    "3kB": 3000,
    "0.5KiB": 512,
  };
  for (const [text, bytes] of Object.entries(written)) assert.equal(size(text), bytes);
  for (const text of ["", "GiB", "-1GiB", "2XB", "2GiBs", "inf"]) refuses(size, text, /2GiB/);
});

Deno.test("a choice is one of the names, or the nearest is suggested", () => {
  const format = oneOf("csv", "parquet");
  assert.equal(format("csv"), "csv");
  refuses(format, "parqet", /^expected csv, parquet, got "parqet"; did you mean "parquet"\?$/);
  refuses(format, "xml!", /^expected csv, parquet, got "xml!"\.$/);
});

Deno.test("several values add up to a list that replaces the default", () => {
  const parse = each(integer());
  const defaults = [7, 8];
  const first = parse("1", defaults);
  assert.deepEqual(parse("2", first), [1, 2]);
  assert.deepEqual(parse("3"), [3]);
  assert.deepEqual(defaults, [7, 8]);
});
