import assert from "node:assert/strict";
import { InputError } from "../formats/input_error.ts";
import { languageOf, LANGUAGES, paperLanguageOf } from "./languages.ts";

Deno.test("the paper's languages are in its order", () => {
  const codes = LANGUAGES.map(({ code }) => code).join(" ");
  assert.equal(codes, "en de fr it pt hi es th bg ru tr vi ja ko zh");
  assert.equal(new Set(LANGUAGES.map(({ colour }) => colour)).size, 15);
});

Deno.test("every spelling of a paper language gives its name, and the code that was asked for", () => {
  const spellings = LANGUAGES.flatMap(({ code, iso3, flores, name }) =>
    [code, iso3, flores].map((spelling) => [spelling, name])
  );
  for (const [code, name] of [...spellings, ["cmn", "Chinese"], ["zho", "Chinese"]]) {
    assert.equal(languageOf(code).name, name, code);
    assert.equal(languageOf(code).code, code);
  }
  assert.equal(paperLanguageOf("cmn")?.code, "zh");
  assert.equal(paperLanguageOf("sw"), undefined);
  assert.equal(languageOf("ja").colour, "#ff9616");
  assert.equal(languageOf("hin_Deva").script, "Deva");
});

Deno.test("the names are those that Unicode gives", () => {
  const names = new Intl.DisplayNames("en", { type: "language" });
  for (const { code, name } of LANGUAGES) assert.equal(names.of(code), name);
});

Deno.test("other languages have their English name, script and direction", () => {
  assert.deepEqual(languageOf("sw"), {
    code: "sw",
    name: "Swahili",
    script: "Latn",
    direction: "ltr",
  });
  assert.equal(languageOf("swh_Latn").name, "Swahili");
  assert.deepEqual(languageOf("arb_Arab"), {
    code: "arb_Arab",
    name: "Arabic",
    script: "Arab",
    direction: "rtl",
  });
  assert.equal(languageOf("zho_Hans").name, "Chinese");
  assert.equal(languageOf("zho_Hant").name, "Traditional Chinese");
});

Deno.test("an unknown language is refused, with what may have been meant", () => {
  const cases: [string, RegExp][] = [
    ["jp", /did you mean ja \(Japanese\)\?$/],
    ["german", /did you mean de \(German\)\?$/],
    ["EN", /did you mean en \(English\)\?$/],
    ["deuu", /did you mean de \(German\)\?$/],
    ["tha_thai", /did you mean th \(Thai\)\?$/],
    ["xx", /such as en de fr .* zh; check its spelling\.$/],
    ["", /Unknown language "", .*check its spelling\.$/],
    ["../en", /Unknown language/],
    ["constructor", /Unknown language/],
  ];
  for (const [code, message] of cases) {
    assert.throws(() => languageOf(code), (error: Error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, message);
      return true;
    });
  }
});
