import assert from "node:assert/strict";
import {
  countText,
  decimalText,
  percentText,
  quantityText,
  rangesText,
  rateText,
} from "./numbers.ts";

Deno.test("numbers are printed as a reader expects them", () => {
  assert.equal(countText(12288), "12,288");
  assert.equal(quantityText(1, "layer"), "1 layer");
  assert.equal(quantityText(16, "layer"), "16 layers");
  assert.equal(percentText(0.1384), "13.8\u00a0%");
  assert.equal(percentText(0), "0.0\u00a0%");
  assert.equal(percentText(0.0004), "< 0.1\u00a0%");
  assert.equal(rateText(0.98), "98\u00a0%");
  assert.equal(rateText(0.075), "7.5\u00a0%");
  assert.equal(rateText(0.07), "7\u00a0%"); // 0.07 * 100 is 7.000000000000001
  assert.equal(decimalText(1.2345, 2), "1.23");
  assert.equal(decimalText(NaN, 2), "–");
});

Deno.test("rangesText joins neighbours", () => {
  assert.equal(rangesText([]), "");
  assert.equal(rangesText([4]), "4");
  assert.equal(rangesText([0, 1, 2, 5, 7, 8]), "0–2, 5, 7–8");
});
