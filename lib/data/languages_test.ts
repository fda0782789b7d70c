import assert from "node:assert/strict";
import codes from "../../tests/fixtures/datasets/language_codes.json" with { type: "json" };
import { InputError } from "../formats/input_error.ts";
import { LANGUAGE_ROWS } from "./language_table.ts";
import { isLanguage, languageOf, LANGUAGES, paperLanguageOf, spellingsOf } from "./languages.ts";

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

Deno.test("no code and no name stands twice in the table", () => {
  const all = LANGUAGE_ROWS.flatMap(([codes]) => codes.split(" "));
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(LANGUAGE_ROWS.map(([, name]) => name)).size, LANGUAGE_ROWS.length);
});

Deno.test("all codes of FLORES+ and all labels of WiLI-2018 are languages", () => {
  assert.equal(codes.wili_2018.length, 235);
  assert.ok(codes.flores_plus.length > 220);
  const names = new Set(codes.wili_2018.map((code) => languageOf(code).name));
  // sqi and als are the only two labels that mean one language
  assert.equal(names.size, 234);
  for (const code of codes.flores_plus) {
    const { name, script, direction } = languageOf(code);
    assert.ok(name.length > 1, code);
    assert.equal(script, code.slice(4, 8), code);
    assert.equal(direction, ["Arab", "Hebr", "Nkoo"].includes(script) ? "rtl" : "ltr", code);
  }
});

Deno.test("a language and its macrolanguage pool, in every spelling", () => {
  const groups = {
    Estonian: "et est ekk ekk_Latn est_Latn",
    Latvian: "lv lav lvs lvs_Latn",
    Arabic: "ar ara arb arb_Arab",
    Malay: "ms msa zsm zsm_Latn",
    Persian: "fa fas pes pes_Arab",
    Nepali: "ne nep npi npi_Deva",
    Odia: "or ori ory ory_Orya",
    Swahili: "sw swa swh swh_Latn sw_KE",
    Uzbek: "uz uzb uzn uzn_Latn",
    Azerbaijani: "az aze azj azj_Latn",
    Mongolian: "mn mon khk khk_Cyrl",
    Malagasy: "mg mlg plt plt_Latn",
    Albanian: "sq sqi als als_Latn",
    "Norwegian Bokmål": "no nob nb nob_Latn",
    Chinese: "zh zho cmn cmn_Hans zho_Hans zh-Hans",
    "Traditional Chinese": "zho_Hant cmn_Hant zh-Hant",
    Yiddish: "yi yid ydd ydd_Hebr",
    Kurdish: "ku kur kmr kmr_Latn",
    Oromo: "om orm gaz gaz_Latn",
    Quechua: "qu que quy quy_Latn",
    Dinka: "din dik dik_Latn",
    Filipino: "fil tl tgl fil_Latn tgl_Latn",
    Cantonese: "yue zh-yue yue_Hant",
    Samogitian: "sgs bat-smg",
  };
  for (const [name, spellings] of Object.entries(groups)) {
    for (const code of spellings.split(" ")) assert.equal(languageOf(code).name, name, code);
  }
  assert.equal(languageOf("arb_Latn").name, "Arabic (Latin)");
  assert.equal(languageOf("arb_Latn").direction, "ltr");
  assert.equal(languageOf("nds-nl").name, "Dutch Low Saxon");
  assert.equal(languageOf("oci_Latn_aran1260").name, "Aranese");
});

Deno.test("the spellings of a code mean its language in its script", () => {
  assert.deepEqual(spellingsOf("eng_Latn"), ["eng_Latn", "en", "eng", "en_Latn"]);
  assert.deepEqual(spellingsOf("zh_Hant").slice(0, 3), ["zh_Hant", "zho_Hant", "cmn_Hant"]);
  assert.deepEqual(spellingsOf("ara_Latn"), ["ara_Latn", "ar_Latn", "arb_Latn"]);
  assert.deepEqual(spellingsOf("zh-yue"), ["zh-yue", "yue", "yue_Hant"]);
  for (const code of [...codes.flores_plus, ...codes.wili_2018]) {
    const names = new Set(spellingsOf(code).map((spelling) => languageOf(spelling).name));
    assert.deepEqual([...names], [languageOf(code).name], code);
  }
  assert.ok(!isLanguage("default"));
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
