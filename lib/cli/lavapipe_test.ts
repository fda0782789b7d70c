import assert from "node:assert/strict";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { NO_LAVAPIPE_SETTINGS, setUpLavapipe, type Workload } from "./lavapipe.ts";

const [WIDTH, CACHE] = ["LP_NATIVE_VECTOR_WIDTH", "MESA_SHADER_CACHE_DIR"];
const [THREADS, DRIVERS] = ["LP_NUM_THREADS", "VK_DRIVER_FILES"];

/** What the set-up for a workload leaves in the environment. */
function chosen(workload: Workload, before: Record<string, string>) {
  const names = [WIDTH, CACHE, THREADS, DRIVERS];
  const kept = names.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of names) Deno.env.delete(name);
    for (const [name, value] of Object.entries(before)) Deno.env.set(name, value);
    setUpLavapipe(workload);
    return {
      width: Deno.env.get(WIDTH),
      cache: Deno.env.get(CACHE),
      threads: Deno.env.get(THREADS),
    };
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

/** Runs `test` with the manifest of a lavapipe that was built with this Vulkan header. */
async function withLavapipe(header: number, test: (path: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "some_icd.json");
    const icd = { api_version: `1.1.${header}`, library_path: "/lib/libvulkan_lvp.so" };
    await Deno.writeTextFile(path, JSON.stringify({ ICD: icd, file_format_version: "1.0.0" }));
    test(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("lavapipe's settings in the environment are left alone, and so is Mesa's cache", () => {
  for (const columns of [64, 4096]) {
    const before = { [WIDTH]: "128", [CACHE]: "/somewhere", [THREADS]: "3" };
    assert.deepEqual(chosen({ columns, rows: 1 }, before), {
      width: "128",
      cache: "/somewhere",
      threads: "3",
    });
  }
});

Deno.test("every width that is chosen has a cache of its own, and the empty variables of a parent are gone", async () => {
  await withLavapipe(230, (path) => {
    for (const [columns, width] of [[64, "256"], [4096, "512"]] as const) {
      for (
        const [before, root] of [[NO_LAVAPIPE_SETTINGS, cacheFolder()], [{ [CACHE]: "/c" }, "/c"]]
      ) {
        const found = chosen({ columns }, { ...before as Record<string, string>, [DRIVERS]: path });
        const untouched = { width: undefined, cache: root === "/c" ? "/c" : undefined };
        const wide = { width, cache: `${root}/lavapipe-${width}` };
        // Which of the two depends on the processor, but never a width without its cache.
        const expected = found.width === undefined ? untouched : wide;
        assert.deepEqual(found, { ...expected, threads: undefined });
      }
    }
  });
});

Deno.test("a lavapipe that is slow with wide vectors, or whose version nothing tells, never gets them", async () => {
  await withLavapipe(305, (path) => {
    for (const drivers of [path, "/nowhere/lvp_icd.json", `/nowhere:${path}`]) {
      const { width } = chosen({ columns: 4096 }, { [DRIVERS]: drivers });
      assert.notEqual(width, "512", drivers);
    }
  });
});

Deno.test("a few rows of a small model are computed without threads, and nothing else is", () => {
  const threads = (workload: Workload) => chosen(workload, NO_LAVAPIPE_SETTINGS).threads;
  assert.equal(threads({ columns: 128, rows: 1 }), "0");
  assert.equal(threads({ columns: 128, rows: 64 }), "0");
  assert.equal(threads({ columns: 128, rows: 65 }), undefined);
  assert.equal(threads({ columns: 128 }), undefined);
  assert.equal(threads({ columns: 2048, rows: 1 }), undefined);
});
