import assert from "node:assert/strict";
import { join } from "node:path";
import { hashesOf } from "../../../tests/support/folders.ts";
import {
  type HubFault,
  type HubRepo,
  type HubServer,
  type HubServerOptions,
  startHubServer,
} from "../../../tests/support/hub_server.ts";
import { ROOT, withFolder } from "../../../tests/support/run.ts";
import { Hub, type HubOptions } from "./hub.ts";
import { parseRepoRef, type RepoRef } from "./repo.ts";

/** Odd length, no period that a cut could hide behind. */
const WEIGHTS = Uint8Array.from({ length: 200_003 }, (_, i) => (i * i + (i >> 8)) & 255);

const TINY: HubRepo = {
  kind: "model",
  id: "polyglot/tiny",
  files: { "config.json": '{"a": 1}\n', "deep/er/w.safetensors": WEIGHTS, "empty.txt": "" },
  revisions: ["main", "refs/pr/1"],
};
const WEIGHTS_PATH = "deep/er/w.safetensors";

const ref = (text = "polyglot/tiny"): RepoRef => {
  const parsed = parseRepoRef(text, "model");
  assert.ok(parsed);
  return parsed;
};

interface Scene {
  readonly server: HubServer;
  readonly cache: string;
  readonly hub: Hub;
  /** Waits between attempts, in milliseconds. */
  readonly waits: readonly number[];
  /** Another process, as it were. */
  another(options?: Partial<HubOptions>): Hub;
}

/** Runs a test with a server, an empty cache and a hub that waits for nothing. */
async function scene(
  options: Partial<HubServerOptions>,
  test: (scene: Scene) => Promise<void>,
  hubOptions: Partial<HubOptions> = {},
): Promise<void> {
  await withFolder(async (cache) => {
    await using server = startHubServer({ repos: [TINY], ...options });
    const waits: number[] = [];
    const sleep = (milliseconds: number) => {
      waits.push(milliseconds);
      return Promise.resolve();
    };
    const patience = { delays: [1, 2, 3], sleep };
    const all = { endpoint: server.url, cache, offline: false, patience, ...hubOptions };
    const another = (more: Partial<HubOptions> = {}) => new Hub({ ...all, ...more });
    await test({ server, cache, hub: another(), waits, another });
  });
}

const fault = (at: RegExp, kind: HubFault["fault"], times?: number): Partial<HubServerOptions> => ({
  faults: [{ at, fault: kind, times }],
});

const CDN = /GET cdn/;

/** Asserts one clear sentence. */
async function refused(work: Promise<unknown>, why: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.equal(error.name, "InputError", error.stack ?? "no stack");
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    assert.doesNotMatch(error.message, /secret|signature/);
    return true;
  });
}

async function assertWeights(folder: string): Promise<void> {
  assert.deepEqual(await Deno.readFile(join(folder, WEIGHTS_PATH)), WEIGHTS);
}

Deno.test("a revision's commit and all files, over pages, with sizes and hashes", async () => {
  await scene({ pageSize: 2 }, async ({ hub, server }) => {
    const repo = await hub.open(ref("polyglot/tiny@refs/pr/1"));
    assert.match(repo.commit, /^[0-9a-f]{40}$/);
    assert.deepEqual(repo.files.map(({ path, size }) => [path, size]), [
      ["config.json", 9],
      [WEIGHTS_PATH, 200_003],
      ["empty.txt", 0],
    ]);
    // echo -n | git hash-object --stdin
    assert.equal(repo.files[2]!.oid, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    assert.deepEqual(repo.files.map(({ sha256 }) => sha256?.length), [undefined, 64, undefined]);
    assert.equal(server.requests.length, 4, "the commit, and three pages of two entries");
    assert.equal((await hub.open(ref(`polyglot/tiny@${repo.commit}`))).commit, repo.commit);
  });
});

Deno.test("only the files asked for are fetched, once, and each piece is reported", async () => {
  const seen: [string, number, number][] = [];
  const progress = (...step: [string, number, number]) => void seen.push(step);
  await scene({}, async ({ hub, server, cache }) => {
    const repo = await hub.open(ref());
    assert.equal(await hub.cached(repo, WEIGHTS_PATH), undefined);
    const folder = await hub.download(repo, [WEIGHTS_PATH, "empty.txt", WEIGHTS_PATH]);
    assert.equal(folder, join(cache, "models--polyglot--tiny/snapshots", repo.commit));
    await assertWeights(folder);
    assert.equal(await hub.cached(repo, WEIGHTS_PATH), join(folder, WEIGHTS_PATH));
    assert.equal(await hub.cached(repo, "config.json"), undefined);
    assert.deepEqual(Object.keys(await hashesOf(folder)), [WEIGHTS_PATH, "empty.txt"]);
    const requests = server.requests.length;
    assert.equal(server.requests.filter(({ host }) => host === "cdn").length, 1);
    assert.equal(await hub.download(repo, [WEIGHTS_PATH]), folder);
    assert.equal(server.requests.length, requests);
    assert.deepEqual(seen.at(-1), [WEIGHTS_PATH, 200_003, 200_003]);
    assert.ok(
      seen.every(([path, done], i) => path === WEIGHTS_PATH && done > (seen[i - 1]?.[1] ?? 0)),
    );
  }, { progress });
});

Deno.test("models and data sets of one name are two repositories", async () => {
  const texts: HubRepo = { ...TINY, kind: "dataset", files: { "config.json": "other" } };
  await scene({ repos: [TINY, texts] }, async ({ hub }) => {
    const repo = await hub.open({ ...ref(), kind: "dataset" });
    const folder = await hub.download(repo, ["config.json"]);
    assert.equal(await Deno.readTextFile(join(folder, "config.json")), "other");
    assert.match(folder, /datasets--polyglot--tiny/);
  });
});

Deno.test("a cut connection is continued where it broke", async () => {
  await scene(fault(CDN, { cutAfter: 70_000 }, 2), async ({ hub, server, waits }) => {
    await assertWeights(await hub.download(await hub.open(ref()), [WEIGHTS_PATH]));
    const ranges = server.requests.filter(({ host }) => host === "cdn").map(({ range }) => range);
    assert.deepEqual(ranges, ["bytes=0-200002", "bytes=70000-200002", "bytes=140000-200002"]);
    assert.deepEqual(waits, [1, 2]);
  });
});

Deno.test("what another process left is continued, and the part there is checked too", async () => {
  await scene(fault(CDN, { cutAfter: 50_000 }, 4), async ({ hub, another, server, cache }) => {
    const repo = await hub.open(ref());
    await refused(
      hub.download(repo, [WEIGHTS_PATH]),
      /^The connection to http:\S+ breaks again and again while deep\/er\/w\.safetensors of the model polyglot\/tiny arrives; run the same command again to go on/,
    );
    const blob = join(cache, "models--polyglot--tiny/blobs", repo.files[1]!.sha256!);
    assert.equal((await Deno.stat(`${blob}.incomplete`)).size, 200_000);
    await assert.rejects(Deno.stat(blob), Deno.errors.NotFound);
    await assertWeights(await another().download(repo, [WEIGHTS_PATH]));
    assert.equal(server.requests.at(-1)!.range, "bytes=200000-200002");
    await assert.rejects(Deno.stat(`${blob}.incomplete`), Deno.errors.NotFound);
  });
});

for (
  const [what, left] of Object.entries({
    "with wrong bytes": new Uint8Array(1000),
    "longer than the file": new Uint8Array(200_004),
    "as long as the file, with wrong bytes": new Uint8Array(200_003),
  })
) {
  Deno.test(`a part left ${what} is thrown away`, async () => {
    await scene({}, async ({ hub, cache }) => {
      const repo = await hub.open(ref());
      const blobs = join(cache, "models--polyglot--tiny/blobs");
      await Deno.mkdir(blobs, { recursive: true });
      await Deno.writeFile(join(blobs, `${repo.files[1]!.sha256}.incomplete`), left);
      await assertWeights(await hub.download(repo, [WEIGHTS_PATH]));
      assert.deepEqual((await Array.fromAsync(Deno.readDir(blobs))).length, 1);
    });
  });
}

Deno.test("a part left whole needs no request", async () => {
  await scene({}, async ({ hub, cache, server }) => {
    const repo = await hub.open(ref());
    const blobs = join(cache, "models--polyglot--tiny/blobs");
    await Deno.mkdir(blobs, { recursive: true });
    await Deno.writeFile(join(blobs, `${repo.files[1]!.sha256}.incomplete`), WEIGHTS);
    await assertWeights(await hub.download(repo, [WEIGHTS_PATH]));
    assert.ok(server.requests.every(({ host }) => host === "hub"));
  });
});

Deno.test("a server without ranges sends all again, and the file is right", async () => {
  const faults: HubFault[] = [
    { at: CDN, times: 1, fault: { cutAfter: 70_000 } },
    { at: CDN, fault: { ignoreRange: true } },
  ];
  await scene({ faults }, async ({ hub }) => {
    const repo = await hub.open(ref());
    assert.deepEqual(await hub.readRange(repo, WEIGHTS_PATH, 5, 9), WEIGHTS.slice(5, 9));
    await assertWeights(await hub.download(repo, [WEIGHTS_PATH]));
  });
});

for (const [path, name] of [[WEIGHTS_PATH, "SHA-256"], ["config.json", "git id"]] as const) {
  Deno.test(`wrong bytes are fetched once more, then refused by their ${name}`, async () => {
    const at = path === WEIGHTS_PATH ? CDN : /resolve-cache/;
    await scene(fault(at, { wrongBytes: true }, 1), async ({ hub }) => {
      const folder = await hub.download(await hub.open(ref()), [path]);
      assert.equal((await Deno.stat(join(folder, path))).size, TINY.files[path]!.length);
    });
    await scene(fault(at, { wrongBytes: true }), async ({ hub, cache, server }) => {
      const repo = await hub.open(ref());
      await refused(
        hub.download(repo, [path]),
        new RegExp(
          `^${path} of the model polyglot/tiny arrived twice .* than its ${name} \\w+ says`,
        ),
      );
      assert.equal(
        server.requests.filter(({ path }) => at.test(`GET cdn ${path}`)).length >= 2,
        true,
      );
      const blobs = await Array.fromAsync(
        Deno.readDir(join(cache, "models--polyglot--tiny/blobs")),
      );
      assert.deepEqual(blobs, []);
    });
  });
}

Deno.test("servers in trouble are asked again; a wait that they ask for is kept", async () => {
  const faults: HubFault[] = [
    { at: /revision/, times: 1, fault: { status: 429, headers: { "retry-after": "7" } } },
    { at: /tree/, times: 2, fault: { status: 503 } },
    { at: CDN, times: 1, fault: { status: 500 } },
    { at: CDN, times: 1, fault: { status: 403 } },
  ];
  await scene({ faults }, async ({ hub, waits }) => {
    await assertWeights(await hub.download(await hub.open(ref()), [WEIGHTS_PATH]));
    assert.deepEqual(waits, [7000, 1, 2, 1, 2]);
  });
});

Deno.test("but not for ever, nor for longer than a user would wait", async () => {
  const troubles: [HubFault["fault"], RegExp, number][] = [
    [{ status: 502 }, /is in trouble: it answers with status 502 .* polyglot\/tiny; try again /, 4],
    [{ status: 429 }, /too many requests .*; try again later, or set HF_TOKEN, which /, 4],
    [{ status: 429, headers: { "retry-after": "3600" } }, /try again in 3600 seconds, or/, 1],
  ];
  for (const [kind, why, requests] of troubles) {
    await scene(fault(/revision/, kind), async ({ hub, server }) => {
      await refused(hub.open(ref()), why);
      assert.equal(server.requests.length, requests);
    });
  }
});

Deno.test("a server that falls silent counts as gone", async () => {
  await scene(fault(/revision/, { silence: true }, 1), async ({ hub, waits }) => {
    await hub.open(ref());
    assert.deepEqual(waits, [1]);
  }, { silence: 100 });
  const slow = { slow: { bytes: 100_000, ms: 2_000 } };
  await scene(fault(CDN, slow, 1), async ({ hub, server }) => {
    await assertWeights(await hub.download(await hub.open(ref()), [WEIGHTS_PATH]));
    assert.equal(server.requests.at(-1)!.range, "bytes=100000-200002");
  }, { silence: 100 });
});

Deno.test("the token goes to the hub, through its own redirects, and to no other host", async () => {
  const gated: HubRepo = { ...TINY, gated: "needs-token", private: true };
  const options = { repos: [gated], token: "hf_secret" };
  await scene(options, async ({ hub, server }) => {
    await hub.download(await hub.open(ref()), [WEIGHTS_PATH, "config.json"]);
    for (const { host, authorization } of server.requests) {
      assert.equal(authorization, host === "hub" ? "Bearer hf_secret" : undefined);
    }
    assert.equal(server.requests.filter(({ path }) => path.includes("resolve-cache")).length, 1);
  }, { token: "hf_secret" });
});

Deno.test("redirects lead to the web only, and not in circles", async () => {
  const to = (location: string) => fault(/resolve/, { status: 302, headers: { location } });
  await scene(to("file:///etc/passwd"), async ({ hub }) => {
    const work = hub.download(await hub.open(ref()), ["config.json"]);
    await refused(work, /redirects to no address of the web when asked for config\.json of the /);
  });
  await scene(to("?again"), async ({ hub }) => {
    const work = hub.download(await hub.open(ref()), ["config.json"]);
    await refused(work, /redirects in a circle when asked for config\.json of the /);
  });
});

Deno.test("ranges come from the hub without being kept, else from the cache", async () => {
  await scene({}, async ({ hub, server }) => {
    const repo = await hub.open(ref());
    const cases = [[0, 0], [0, 1], [200_002, 200_003], [70_000, 150_001], [0, 200_003]] as const;
    for (const kept of [false, true]) {
      if (kept) await hub.download(repo, [WEIGHTS_PATH]);
      const before = server.requests.length;
      for (const [start, end] of cases) {
        const bytes = await hub.readRange(repo, WEIGHTS_PATH, start, end);
        assert.deepEqual(bytes, WEIGHTS.slice(start, end));
      }
      // each but the empty one: the redirect, and the bytes
      assert.equal(server.requests.length - before, kept ? 0 : 8);
      assert.equal(await hub.cached(repo, WEIGHTS_PATH) !== undefined, kept);
    }
    for (const [start, end] of [[-1, 1], [2, 1], [0, 200_004], [0.5, 1]]) {
      await assert.rejects(hub.readRange(repo, WEIGHTS_PATH, start!, end!), RangeError);
    }
  });
});

Deno.test("another part than was asked for is not taken", async () => {
  const wrong = [
    { status: 206 },
    { status: 206, headers: { "content-range": "bytes 1-7/200003" } },
    { status: 206, headers: { "content-range": "bytes 0-6/7" } },
  ];
  const faults = wrong.map((fault) => ({ at: CDN, times: 1, fault }));
  await scene({ faults }, async ({ hub, waits }) => {
    const repo = await hub.open(ref());
    assert.deepEqual(await hub.readRange(repo, WEIGHTS_PATH, 0, 7), WEIGHTS.slice(0, 7));
    assert.deepEqual(waits, [1, 2, 3]);
  });
  await scene(fault(CDN, wrong[0]!), async ({ hub }) => {
    const work = hub.readRange(await hub.open(ref()), WEIGHTS_PATH, 0, 7);
    await refused(work, /^127\.0\.0\.1:\d+ sends another part of deep\/er\/w\.safetensors of the /);
  });
});

Deno.test("a range is continued after a cut", async () => {
  await scene(fault(CDN, { cutAfter: 100 }, 2), async ({ hub }) => {
    const repo = await hub.open(ref());
    assert.deepEqual(await hub.readRange(repo, WEIGHTS_PATH, 50, 999), WEIGHTS.slice(50, 999));
  });
});

Deno.test("a blob of wrong length in the cache is replaced", async () => {
  await scene({}, async ({ hub, another }) => {
    const repo = await hub.open(ref());
    const folder = await hub.download(repo, [WEIGHTS_PATH]);
    await Deno.truncate(await Deno.realPath(join(folder, WEIGHTS_PATH)), 100);
    assert.equal(await hub.cached(repo, WEIGHTS_PATH), undefined);
    await assertWeights(await another().download(repo, [WEIGHTS_PATH]));
  });
});

Deno.test("a new commit fetches only what changed, and the branch follows it", async () => {
  const files = { ...TINY.files, "config.json": '{"a": 2}\n' };
  await scene({}, async ({ hub, cache, another }) => {
    const before = await hub.download(await hub.open(ref()), [WEIGHTS_PATH, "config.json"]);
    await using changed = startHubServer({ repos: [{ ...TINY, files }] });
    const later = another({ endpoint: changed.url });
    const repo = await later.open(ref());
    const after = await later.download(repo, [WEIGHTS_PATH, "config.json"]);
    assert.notEqual(after, before);
    assert.equal(await Deno.readTextFile(join(after, "config.json")), '{"a": 2}\n');
    assert.equal(await Deno.readTextFile(join(before, "config.json")), '{"a": 1}\n');
    assert.ok(changed.requests.every(({ host }) => host === "hub"), "no weights again");
    const main = join(cache, "models--polyglot--tiny/refs/main");
    assert.equal(await Deno.readTextFile(main), repo.commit);
  });
});

Deno.test("offline: the cache answers for what it has, by branch and by commit", async () => {
  await scene({}, async ({ hub, another, server }) => {
    const online = await hub.open(ref());
    const folder = await hub.download(online, [WEIGHTS_PATH, "empty.txt"]);
    const requests = server.requests.length;
    const offline = another({ offline: true });
    for (const name of ["polyglot/tiny", `polyglot/tiny@${online.commit}`]) {
      const repo = await offline.open(ref(name));
      assert.equal(repo.commit, online.commit);
      assert.deepEqual(repo.files, online.files.filter(({ path }) => path !== "config.json"));
      assert.equal(await offline.download(repo, [WEIGHTS_PATH]), folder);
      await refused(
        offline.download(repo, ["config.json"]),
        /^The cache has no file "config\.json" of the model polyglot\/tiny.*, found deep\/er\/w\./,
      );
    }
    const missing = /^HF_HUB_OFFLINE is set and .* is not in the cache \S+; fetch it once without /;
    await refused(offline.download(online, ["config.json"]), missing);
    await refused(offline.readRange(online, "config.json", 0, 1), missing);
    await refused(offline.open(ref("polyglot/tiny@refs/pr/1")), missing);
    await refused(offline.open(ref("polyglot/other")), missing);
    assert.equal(server.requests.length, requests);
  });
});

Deno.test("unreachable or in trouble: the cache answers, after one more attempt", async () => {
  await scene({}, async ({ hub, another, cache }) => {
    const repo = await hub.open(ref());
    await hub.download(repo, ["config.json"]);
    await using broken = startHubServer({ repos: [], ...fault(/./, { status: 503 }) });
    assert.equal((await another({ endpoint: broken.url }).open(ref())).commit, repo.commit);
    assert.equal(broken.requests.length, 2);
    const gone = another({ endpoint: await closedPort() });
    assert.equal((await gone.open(ref())).commit, repo.commit);
    await refused(
      gone.open(ref("polyglot/other")),
      /^Cannot reach 127\.0\.0\.1:\d+ for the model polyglot\/other \(connection refused\); check /,
    );
    // a repository that the hub says is gone is not kept alive by the cache
    await using empty = startHubServer({ repos: [] });
    await refused(another({ endpoint: empty.url, cache }).open(ref()), /^There is no model /);
  });
});

/** Address of a port that nobody listens on. */
async function closedPort(): Promise<string> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return await Promise.resolve(`http://127.0.0.1:${port}`);
}

Deno.test("a disk that fills up is one sentence, before the download or in it", async () => {
  const huge: HubRepo = { ...TINY, claimedSizes: { [WEIGHTS_PATH]: 2 ** 52 } };
  await scene({ repos: [huge] }, async ({ hub, server, cache }) => {
    const repo = await hub.open(ref());
    const requests = server.requests.length;
    await refused(
      hub.download(repo, [WEIGHTS_PATH]),
      /^The files need 4503599\.6 GB and the disk of the cache .* left; make room, or set HF_HUB_/,
    );
    assert.equal(server.requests.length, requests);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(cache)), []);
  });
  await scene({}, async ({ hub, cache, server }) => {
    const repo = await hub.open(ref());
    const blobs = join(cache, "models--polyglot--tiny/blobs");
    await Deno.mkdir(blobs, { recursive: true });
    // a disk without room for one byte, that only a process with all permissions may write to
    await Deno.symlink("/dev/full", join(blobs, `${repo.files[1]!.sha256}.incomplete`));
    const { stdout } = await downloadElsewhere(server, cache, ["--allow-all"]);
    assert.match(
      new TextDecoder().decode(stdout),
      /^InputError: The disk of the cache \S+ is full; make room and run the same command again to /,
    );
  });
});

Deno.test("a cache that is no folder is one sentence", async () => {
  await scene({}, async ({ hub, another, cache }) => {
    const repo = await hub.open(ref());
    const file = join(cache, "a file");
    await Deno.writeTextFile(file, "");
    const work = another({ cache: file }).download(repo, ["config.json"]);
    await refused(
      work,
      /^Cannot use the cache .*a file \(.*\); set HF_HUB_CACHE to a folder that /,
    );
  });
});

/** Downloads the weights in another process, which prints the folder or the error. */
async function downloadElsewhere(
  { url }: HubServer,
  cache: string,
  permissions: readonly string[],
  progress = "() => {}",
): Promise<Deno.CommandOutput> {
  const code = `import { Hub } from ${JSON.stringify(new URL("./hub.ts", import.meta.url).href)};
    const [endpoint, cache] = Deno.args;
    const hub = new Hub({ endpoint, cache, offline: false, progress: ${progress} });
    const repo = await hub.open(${JSON.stringify(ref())});
    const work = hub.download(repo, [${JSON.stringify(WEIGHTS_PATH)}]);
    await Deno.stdout.write(new TextEncoder().encode(await work.catch(String)));`;
  const config = `--config=${ROOT}deno.json`;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-lock", config, ...permissions, "-", url, cache],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await ReadableStream.from([new TextEncoder().encode(code)]).pipeTo(process.stdin);
  return await process.output();
}

Deno.test("two processes at once: one transfer, and both have the file", async () => {
  const pace = fault(CDN, { slow: { bytes: 20_000, ms: 20 } });
  await scene(pace, async ({ server, cache }) => {
    const permissions = ["read", "write", "env", "sys", "net=127.0.0.1"].map((p) => `--allow-${p}`);
    const process = () => downloadElsewhere(server, cache, permissions);
    for (const { stdout } of await Promise.all([process(), process()])) {
      await assertWeights(new TextDecoder().decode(stdout));
    }
    assert.equal(server.requests.filter(({ host }) => host === "cdn").length, 1);
  });
});

Deno.test("a process that is killed blocks no other, which goes on from there", async () => {
  const pace = fault(CDN, { slow: { bytes: 20_000, ms: 50 } }, 1);
  await scene(pace, async ({ server, cache, hub }) => {
    const suicide = "(path, done) => { if (done >= 60_000) Deno.kill(Deno.pid, 'SIGKILL'); }";
    const { signal } = await downloadElsewhere(server, cache, ["--allow-all"], suicide);
    assert.equal(signal, "SIGKILL");
    await assertWeights(await hub.download(await hub.open(ref()), [WEIGHTS_PATH]));
    const kept = /^bytes=(\d+)-200002$/.exec(server.requests.at(-1)!.range!)?.[1];
    assert.ok(Number(kept) >= 60_000, `${kept} bytes`);
  });
});

Deno.test("two downloads at once in one process: one transfer", async () => {
  await scene(fault(CDN, { slow: { bytes: 50_000, ms: 10 } }), async ({ hub, server }) => {
    const repo = await hub.open(ref());
    const folders = await Promise.all([1, 2, 3].map(() => hub.download(repo, [WEIGHTS_PATH])));
    await assertWeights(folders[2]!);
    assert.equal(server.requests.filter(({ host }) => host === "cdn").length, 1);
  });
});
