import assert from "node:assert/strict";
import fc from "fast-check";
import { formatRoute, parseRoute, type Route, STEERING } from "./route.ts";

const ROUTES: readonly (readonly [string, Route])[] = [
  ["/", { page: "overview" }],
  ["/features", { page: "features", identified: true, offset: 0 }],
  [
    "/features?text=a+%26+b&language=German&layer=3&all=&order=probability&from=50",
    {
      page: "features",
      text: "a & b",
      language: "German",
      layer: 3,
      identified: undefined,
      order: "probability",
      offset: 50,
    },
  ],
  ["/feature/3/1948", { page: "feature", layer: 3, index: 1948 }],
  [
    "/feature/3/1948?language=German&article=2",
    { page: "feature", layer: 3, index: 1948, language: "German", article: "2" },
  ],
  ["/try", { page: "try", text: "" }],
  ["/try?text=%E0%B8%97%E0%B8%B8%E0%B8%81", { page: "try", text: "ทุก" }],
  ["/steer", { page: "steer", ...STEERING }],
  [
    "/steer?features=0.1%3A0.4%2C5.20%3A-1&prompt=Hi&tokens=7&temperature=0.5&seed=3",
    {
      page: "steer",
      features: [{ layer: 0, index: 1, strength: 0.4 }, { layer: 5, index: 20, strength: -1 }],
      prompt: "Hi",
      maxNewTokens: 7,
      temperature: 0.5,
      seed: 3,
    },
  ],
  ["/nothing", { page: "unknown", path: "/nothing" }],
];

for (const [address, route] of ROUTES) {
  Deno.test(`${address} is a page's address, there and back`, () => {
    assert.equal(formatRoute(route), address);
    assert.equal(formatRoute(parseRoute(address)), address);
    for (const [name, value] of Object.entries(parseRoute(address))) {
      assert.deepEqual(value, route[name as keyof Route]);
    }
  });
}

Deno.test("what is not understood is left out, or is no page", () => {
  const page = (address: string) => formatRoute(parseRoute(address));
  assert.equal(page("/features?layer=x&order=worst&from=-1"), "/features");
  assert.equal(page("/steer?features=1.2,x,3.4:0.5,:&tokens=many"), "/steer?features=3.4%3A0.5");
  for (
    const address of ["/feature/3", "/feature/a/b", "/feature/-1/2", "/feature/1/2/3", "/try/x"]
  ) {
    assert.equal(parseRoute(address).page, "unknown", address);
  }
});

Deno.test("any text survives in an address", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const route = parseRoute(formatRoute({ page: "try", text }));
    assert.equal(route.page === "try" && route.text, text);
  }));
});

Deno.test("any address is some page", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseRoute(`/${text}`);
  }));
});
