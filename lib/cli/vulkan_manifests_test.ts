import assert from "node:assert/strict";
import { join } from "node:path";
import { lavapipeManifests } from "./vulkan_manifests.ts";

const VARIABLES = [
  ...["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"],
  ...["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME", "XDG_DATA_DIRS", "HOME"],
];

/** What is found with these variables alone. */
function found(variables: Record<string, string>) {
  const kept = VARIABLES.map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const name of VARIABLES) Deno.env.delete(name);
    for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
    return lavapipeManifests();
  } finally {
    for (const [name, value] of kept) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("manifests of lavapipe are found where the loader looks, and no others", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const manifest = async (path: string, ICD: unknown) => {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, JSON.stringify({ ICD, file_format_version: "1.0.0" }));
      return path;
    };
    const lavapipe = { api_version: "1.4.305", library_path: "libvulkan_lvp.so" };
    const shared = await manifest(join(folder, "vulkan/icd.d/lvp_icd.x86_64.json"), lavapipe);
    await manifest(join(folder, "vulkan/icd.d/radeon_icd.json"), {
      api_version: "1.3.230",
      library_path: "/usr/lib/libvulkan_radeon.so",
    });
    await manifest(join(folder, "vulkan/icd.d/odd.json"), { library_path: "libvulkan_lvp.so" });
    await Deno.writeTextFile(join(folder, "vulkan/icd.d/broken_icd.json"), "{");
    const named = await manifest(join(folder, "mine.json"), {
      ...lavapipe,
      api_version: "1.1.230",
    });
    const ofShared = { path: shared, header: 305 };
    const ofNamed = { path: named, header: 230 };
    const nowhere = { XDG_DATA_DIRS: "/nowhere" };
    // Other manifests of this machine lie in /etc, if at all.
    const ours = (manifests: readonly { path: string }[]) =>
      manifests.filter(({ path }) => path.startsWith(folder));
    assert.deepEqual(ours(found({ XDG_DATA_DIRS: `/nowhere:${folder}` })), [ofShared]);
    assert.deepEqual(ours(found({ ...nowhere, XDG_CONFIG_HOME: folder })), [ofShared]);
    assert.deepEqual(ours(found({ XDG_DATA_DIRS: folder, VK_ADD_DRIVER_FILES: named })), [
      ofNamed,
      ofShared,
    ]);
    assert.deepEqual(found({ XDG_DATA_DIRS: folder, VK_ICD_FILENAMES: named }), [ofNamed]);
    const both = `${named}:${join(folder, "vulkan/icd.d")}`;
    assert.deepEqual(found({ VK_DRIVER_FILES: both, VK_ICD_FILENAMES: "/nowhere.json" }), [
      ofNamed,
      ofShared,
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
