/** The cache against Python's: its tree from ours, ours from its tree, and Python itself if there. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { dirname, join } from "node:path";
import { startHubServer } from "../../../tests/support/hub_server.ts";
import { longTestWithFile } from "../../../tests/support/opt_in.ts";
import { filesUnder } from "../../../tests/support/folders.ts";
import { runCommand, withFolder } from "../../../tests/support/run.ts";
import { DOWNLOADS, REPOS } from "../../../tests/fixtures/hub/repos.ts";
import pythons from "../../../tests/fixtures/hub/python_cache.json" with { type: "json" };
import { Hub } from "./hub.ts";

/** Registers a test that needs a Python. */
function pythonTest(name: string, body: (python: string) => Promise<void>): void {
  longTestWithFile(name, "BABELSCOPE_PYTHON", "a Python with huggingface_hub", body);
}

/** A file's content, or where a link leads. */
type Entry = { readonly base64?: string; readonly link?: string };
type Tree = Readonly<Record<string, Entry>>;

async function treeOf(cache: string): Promise<Tree> {
  const paths = (await filesUnder(cache)).filter((path) => !path.startsWith(".locks/"));
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await entryAt(join(cache, path))])),
  );
}

async function entryAt(path: string): Promise<Entry> {
  const { isSymlink } = await Deno.lstat(path);
  if (isSymlink) return { link: await Deno.readLink(path) };
  return { base64: Buffer.from(await Deno.readFile(path)).toString("base64") };
}

async function plant(cache: string, tree: Tree): Promise<void> {
  for (const [path, { base64, link }] of Object.entries(tree)) {
    await Deno.mkdir(dirname(join(cache, path)), { recursive: true });
    if (link !== undefined) await Deno.symlink(link, join(cache, path));
    else await Deno.writeFile(join(cache, path), Buffer.from(base64 ?? "", "base64"));
  }
}

async function downloadAll(hub: Hub): Promise<void> {
  for (const { paths, ...ref } of DOWNLOADS) {
    const folder = await hub.download(await hub.open(ref), paths);
    for (const path of paths) assert.ok((await Deno.stat(join(folder, path))).isFile);
  }
}

Deno.test("our cache is Python's, link by link and byte by byte", async () => {
  await using server = startHubServer({ repos: REPOS });
  await withFolder(async (cache) => {
    await downloadAll(new Hub({ endpoint: server.url, cache, offline: false }));
    assert.deepEqual(await treeOf(cache), pythons.entries);
    const locks = await filesUnder(join(cache, ".locks"));
    assert.match(locks.join(), /^datasets--polyglot--texts\.v1\/[0-9a-f]{40}\.lock,/);
  });
});

Deno.test("Python's cache is ours: nothing is fetched again, nothing changed", async () => {
  await using server = startHubServer({ repos: REPOS });
  await withFolder(async (cache) => {
    await plant(cache, pythons.entries);
    await downloadAll(new Hub({ endpoint: server.url, cache, offline: false }));
    assert.ok(server.requests.every(({ path }) => /^\/api\/\w+\/.*\/(revision|tree)\//.test(path)));
    const requests = server.requests.length;
    await downloadAll(new Hub({ endpoint: server.url, cache, offline: true }));
    assert.equal(server.requests.length, requests);
    assert.deepEqual(await treeOf(cache), pythons.entries);
  });
});

Deno.test("files that lie in the snapshot itself, as where there are no links, are the same", async () => {
  await using server = startHubServer({ repos: REPOS });
  await withFolder(async (cache) => {
    const online = new Hub({ endpoint: server.url, cache, offline: false });
    await downloadAll(online);
    const ref = { kind: "model", id: "polyglot/tiny", revision: "main" } as const;
    const repo = await online.open(ref);
    const config = join(await online.download(repo, []), "config.json");
    const content = await Deno.readFile(config);
    await Deno.remove(config);
    await Deno.writeFile(config, content);
    const cached = await new Hub({ endpoint: server.url, cache, offline: true }).open(ref);
    const listed = repo.files.filter(({ path }) => path !== "README.md");
    const sorted = (files: typeof repo.files) => files.toSorted((a, b) => a.path < b.path ? -1 : 1);
    assert.deepEqual(sorted(cached.files), sorted(listed));
  });
});

const READ_OUR_CACHE = `
import json, sys
from huggingface_hub import hf_hub_download, scan_cache_dir
cache, downloads = sys.argv[1], json.loads(sys.argv[2])
for d in downloads:
    for path in d["paths"]:
        print(hf_hub_download(d["id"], path, repo_type=d["kind"], revision=d["revision"],
                              cache_dir=cache, local_files_only=True))
assert not scan_cache_dir(cache).warnings
`;

pythonTest("Python's huggingface_hub reads our cache, offline", async (python) => {
  await using server = startHubServer({ repos: REPOS });
  await withFolder(async (cache) => {
    await downloadAll(new Hub({ endpoint: server.url, cache, offline: false }));
    const args = ["-c", READ_OUR_CACHE, cache, JSON.stringify(DOWNLOADS)];
    const { code, stdout, stderr } = await runCommand(python, args);
    assert.equal(code, 0, stderr);
    const paths = stdout.trim().split("\n");
    assert.deepEqual(
      paths.map((path) => path.split("/snapshots/")[1]!.slice(41)),
      DOWNLOADS.flatMap(({ paths }) => paths),
    );
  });
});

const DOWNLOAD = `
import sys
from huggingface_hub import hf_hub_download
print(hf_hub_download("polyglot/tiny", "model.safetensors", cache_dir=sys.argv[1], token=False))
`;

pythonTest("Python's huggingface_hub and ours at once: one transfer", async (python) => {
  const faults = [{ at: /GET cdn/, fault: { slow: { bytes: 100, ms: 100 } } }];
  await using server = startHubServer({ repos: REPOS, faults });
  await withFolder(async (cache) => {
    const hub = new Hub({ endpoint: server.url, cache, offline: false });
    const repo = await hub.open({ kind: "model", id: "polyglot/tiny", revision: "main" });
    const env = { HF_ENDPOINT: server.url };
    const [theirs, ours] = await Promise.all([
      runCommand(python, ["-c", DOWNLOAD, cache], { env }),
      hub.download(repo, ["model.safetensors"]),
    ]);
    assert.equal(theirs.stdout.trim(), join(ours, "model.safetensors"), theirs.stderr);
    assert.equal(server.requests.filter(({ host }) => host === "cdn").length, 1);
  });
});
