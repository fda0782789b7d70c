import assert from "node:assert/strict";
import { cacheFolder } from "./cache.ts";
import { chooseVectorWidth, NO_VECTOR_WIDTH } from "./lavapipe.ts";

const [WIDTH, CACHE] = ["LP_NATIVE_VECTOR_WIDTH", "MESA_SHADER_CACHE_DIR"];

/** What the choice for a model of so many columns leaves in the environment. */
function chosen(columns: number, before: Record<string, string>) {
  const kept = [WIDTH, CACHE].map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of [WIDTH, CACHE]) Deno.env.delete(name);
    for (const [name, value] of Object.entries(before)) Deno.env.set(name, value);
    chooseVectorWidth(columns);
    return { width: Deno.env.get(WIDTH), cache: Deno.env.get(CACHE) };
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("a vector width in the environment is left alone, and so is Mesa's cache", () => {
  for (const columns of [64, 4096]) {
    const before = { [WIDTH]: "128", [CACHE]: "/somewhere" };
    assert.deepEqual(chosen(columns, before), { width: "128", cache: "/somewhere" });
  }
});

Deno.test("every width that is chosen has a cache of its own, and the empty variables of a parent are gone", () => {
  for (const [columns, width] of [[64, "256"], [4096, "512"]] as const) {
    for (const [before, root] of [[NO_VECTOR_WIDTH, cacheFolder()], [{ [CACHE]: "/c" }, "/c"]]) {
      const found = chosen(columns, before as Record<string, string>);
      const untouched = { width: undefined, cache: root === "/c" ? "/c" : undefined };
      const wide = { width, cache: `${root}/lavapipe-${width}` };
      // Which of the two depends on the processor, but never a width without its cache.
      assert.deepEqual(found, found.width === undefined ? untouched : wide);
    }
  }
});
