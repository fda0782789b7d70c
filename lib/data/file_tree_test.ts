import assert from "node:assert/strict";
import { join } from "node:path";
import { startHubServer } from "../../tests/support/hub_server.ts";
import { refused } from "../../tests/support/refusals.ts";
import { withFolder } from "../../tests/support/run.ts";
import { openFileTree, parseHubPlace } from "./file_tree.ts";
import { Hub } from "./hub/hub.ts";

const noHub = () => assert.fail("the hub is not needed");

Deno.test("names of the hub: repositories, revisions, folders; paths are none", () => {
  const place = (name: string) => {
    const found = parseHubPlace(name, "model");
    return found && [found.ref.id, found.ref.revision, found.folder];
  };
  assert.deepEqual(place("owner/name"), ["owner/name", "main", ""]);
  assert.deepEqual(place("owner/name@v1.0"), ["owner/name", "v1.0", ""]);
  assert.deepEqual(place("owner/name@refs/pr/1"), ["owner/name", "refs/pr/1", ""]);
  assert.deepEqual(place("owner/name/layer_3/width/"), ["owner/name", "main", "layer_3/width/"]);
  for (const path of ["name", "./owner/name", "/owner/name", "../x/y", "owner/name/../x", "a//b"]) {
    assert.equal(place(path), undefined, path);
  }
});

Deno.test("a folder is a tree of local files, links followed", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "a/b"), { recursive: true });
    await Deno.writeTextFile(join(folder, "a/b/deep"), "12345");
    await Deno.writeTextFile(join(folder, "top"), "123");
    await Deno.symlink(join(folder, "a"), join(folder, "link"));
    const tree = await openFileTree(folder, "model", noHub);
    assert.deepEqual(tree.paths, ["a/b/deep", "link/b/deep", "top"]);
    assert.equal(await tree.local(["top"]), folder);
    assert.deepEqual(await tree.bytes(["top", "a/b/deep"]), { total: 8, missing: 0 });
    await refused(openFileTree(join(folder, "none"), "model", noHub), "none", /no folder/);
  });
});

Deno.test("a folder of a repository is a tree whose files are fetched when they are asked for", async () => {
  const files = {
    "README.md": "x",
    "l3/cfg.json": "{}",
    "l3/w.bin": "12345",
    "l30/cfg.json": "{}",
  };
  await using server = startHubServer({ repos: [{ kind: "model", id: "own/saes", files }] });
  await withFolder(async (cache) => {
    const hub = () => new Hub({ endpoint: server.url, cache, offline: false });
    const tree = await openFileTree("own/saes/l3", "model", hub);
    assert.deepEqual(tree.paths, ["cfg.json", "w.bin"]);
    assert.deepEqual(await tree.bytes(["w.bin"]), { total: 5, missing: 5 });
    const folder = await tree.local(["w.bin"]);
    assert.equal(await Deno.readTextFile(join(folder, "w.bin")), "12345");
    assert.deepEqual(await tree.bytes(["w.bin"]), { total: 5, missing: 0 });
    await refused(openFileTree("own/saes/l4", "model", hub), "l4", /has no folder/);
  });
});
