import assert from "node:assert/strict";
import { type HubRepo, startHubServer } from "../../../tests/support/hub_server.ts";
import { withFolder } from "../../../tests/support/run.ts";
import { Hub, type HubOptions } from "./hub.ts";
import type { RepoRef } from "./repo.ts";

const files = { "config.json": "{}" };
const REPOS: readonly HubRepo[] = [
  { kind: "model", id: "polyglot/open", files },
  { kind: "model", id: "polyglot/secret", files, private: true },
  { kind: "dataset", id: "polyglot/gated", files, gated: "needs-token" },
  { kind: "model", id: "polyglot/closed", files, gated: "refuses-everyone" },
];

interface Case {
  readonly what: string;
  readonly ref: Partial<RepoRef>;
  readonly token?: string;
  /** Fetched if given; else only the repository is opened. */
  readonly path?: string;
  readonly why: RegExp;
}

const CASES: readonly Case[] = [
  {
    what: "a gated repository without a token",
    ref: { kind: "dataset", id: "polyglot/gated" },
    path: "config.json",
    why:
      /^Access to the data set polyglot\/gated is gated; accept the conditions at http\S+\/datasets\/polyglot\/gated and set HF_TOKEN to a token of that account\.$/,
  },
  {
    what: "a gated repository whose owner has not let the account in",
    ref: { id: "polyglot/closed" },
    token: "hf_sesame",
    path: "config.json",
    why:
      /^Access to the model polyglot\/closed is gated and the account of HF_TOKEN has none; accept the conditions at http\S+\/polyglot\/closed with that account and wait until it is let in\.$/,
  },
  {
    what: "a wrong token",
    ref: { id: "polyglot/open" },
    token: "hf_wrong",
    why:
      /^http\S+ does not know the token of HF_TOKEN; set a valid one \(http\S+\/settings\/tokens\) or none\.$/,
  },
  {
    what: "a private repository without a token",
    ref: { id: "polyglot/secret" },
    why:
      /^There is no model polyglot\/secret on http\S+, or it is private; check the name, or set HF_TOKEN to a token that may see it\.$/,
  },
  {
    what: "a missing repository without a token",
    ref: { id: "polyglot/nothing" },
    why:
      /^There is no model polyglot\/nothing on http\S+, or it is private; check the name, or set /,
  },
  {
    what: "a missing repository with a token",
    ref: { kind: "dataset", id: "polyglot/nothing" },
    token: "hf_sesame",
    why:
      /^There is no data set polyglot\/nothing on http\S+, or the token of HF_TOKEN may not see it; check the name and the token's rights\.$/,
  },
  {
    what: "a missing revision",
    ref: { id: "polyglot/open", revision: "v9" },
    why:
      /^There is no revision "v9" of the model polyglot\/open on http\S+; name a branch, tag or commit that it has\.$/,
  },
  {
    what: "a missing file",
    ref: { id: "polyglot/open" },
    path: "weights.bin",
    why:
      /^There is no file "weights\.bin" in the model polyglot\/open, found config\.json; check the name and the revision\.$/,
  },
];

/** Asserts that opening the repository, and fetching the file, ends in one sentence. */
async function refused(
  options: Omit<HubOptions, "cache" | "offline">,
  ref: Partial<RepoRef>,
  path: string | undefined,
  why: RegExp,
): Promise<void> {
  await withFolder(async (cache) => {
    const patience = { delays: [], sleep: () => Promise.resolve() };
    const hub = new Hub({ patience, ...options, cache, offline: false });
    const work = async () => {
      const repo = await hub.open({ kind: "model", id: "polyglot/open", revision: "main", ...ref });
      if (path !== undefined) await hub.download(repo, [path]);
    };
    await assert.rejects(work(), (error: Error) => {
      assert.equal(error.name, "InputError", error.stack ?? "no stack");
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, /hf_|\n/);
      return true;
    });
    assert.equal(
      (await Array.fromAsync(Deno.readDir(cache))).some(({ name }) => name === "refs"),
      false,
    );
  });
}

for (const { what, ref, token, path, why } of CASES) {
  Deno.test(`one sentence: ${what}`, async () => {
    await using server = startHubServer({ repos: REPOS, token: "hf_sesame" });
    await refused({ endpoint: server.url, token }, ref, path, why);
  });
}

Deno.test("one sentence: a file that went away after it was listed", async () => {
  const headers = { "x-error-code": "EntryNotFound", "x-error-message": "Entry not found" };
  const faults = [{ at: /resolve/, fault: { status: 404, headers } }];
  await using server = startHubServer({ repos: REPOS, faults });
  const why = /^There is no file "config\.json" in the model polyglot\/open on http\S+; check the /;
  await refused({ endpoint: server.url }, {}, "config.json", why);
});

Deno.test("one sentence: a refusal of another kind, with the server's words made harmless", async () => {
  const headers = { "x-error-message": "Access to\tthis resource is disabled." };
  const faults = [{ at: /revision/, fault: { status: 403, headers } }];
  await using server = startHubServer({ repos: REPOS, faults });
  const why =
    /^http\S+ refuses the model polyglot\/open with status 403 \(Access to this resource is disabled\); check HF_ENDPOINT and the rights of HF_TOKEN\.$/;
  await refused({ endpoint: server.url }, {}, undefined, why);
});

const OID = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const LISTED: readonly [string, unknown, RegExp][] = [
  ["..", { path: "../x", oid: OID, size: 1 }, /it lists a file named "\.\.\/x"; check HF_ENDPOINT/],
  ["an absolute path", { path: "/etc/x", oid: OID, size: 1 }, /a file named "\/etc\/x"/],
  ["backslashes", { path: "..\\x", oid: OID, size: 1 }, /a file named "\.\.\\\\x"/],
  ["no name", { oid: OID, size: 1 }, /a file named undefined/],
  ["a list for a name", { path: [["x"]], oid: OID, size: 1 }, /a file named object/],
  ["an id that leads elsewhere", { path: "x", oid: "../../x", size: 1 }, /no size and git id of x/],
  ["a size below 0", { path: "x", oid: OID, size: -1 }, /no size and git id of x/],
  ["a size beyond 2^53", { path: "x", oid: OID, size: 1e300 }, /no size and git id of x/],
  [
    "an LFS id of another form",
    { path: "x", oid: OID, size: 1, lfs: { oid: "../x" } },
    /no SHA-256 /,
  ],
];

for (const [what, entry, why] of LISTED) {
  Deno.test(`one sentence: a listing with ${what}`, async () => {
    const extraEntries = [{ type: "file", ...(entry as object) }];
    const repos: HubRepo[] = [{ kind: "model", id: "polyglot/open", files, extraEntries }];
    await using server = startHubServer({ repos });
    await refused({ endpoint: server.url }, {}, undefined, why);
  });
}

for (const body of ["<html>log in</html>", "null", '{"sha": "main"}', "[1]", ""]) {
  Deno.test(`one sentence: no hub at all, but ${JSON.stringify(body)}`, async () => {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(body),
    );
    const endpoint = `http://127.0.0.1:${server.addr.port}`;
    await refused({ endpoint }, {}, undefined, /does not answer as a hub does .*check HF_ENDPOINT/);
  });
}

Deno.test("one sentence: a hub whose list is none, or never ends", async () => {
  const sha = "0".repeat(40);
  for (
    const [page, why] of [["{}", /no list of files/], ["[]", /more than 1000 pages/]] as const
  ) {
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ url }) =>
        url.includes("/revision/")
          ? Response.json({ sha })
          : new Response(page, { headers: { link: `<${url}>; rel="next"` } }),
    );
    await refused({ endpoint: `http://127.0.0.1:${server.addr.port}` }, {}, undefined, why);
  }
});

Deno.test("an endpoint that is no address, and a token that is none, are refused unprinted", () => {
  const options = { cache: "/tmp/none", offline: false };
  for (const endpoint of ["huggingface.co", "file:///etc", "http://me:secret@hub.example", "x"]) {
    assert.throws(() => new Hub({ ...options, endpoint }), {
      name: "InputError",
      message:
        /^HF_ENDPOINT is no address of a hub, expected one such as https:\/\/huggingface\.co/,
    });
  }
  const endpoint = "https://huggingface.co";
  assert.throws(() => new Hub({ ...options, endpoint, token: "hf_a\r\nhost: b" }), {
    name: "InputError",
    message: /^The token for the hub holds spaces or characters that no token has; copy it again/,
  });
});
