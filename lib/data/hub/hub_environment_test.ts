import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { withFolder } from "../../../tests/support/run.ts";
import { type HubOptions, hubOptionsFromEnvironment } from "./hub.ts";

const NAMES = [
  ...["HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN", "HF_TOKEN_PATH"],
  "XDG_CACHE_HOME",
];

/** The options that these variables, and none of the caller's, give. */
function optionsWith(variables: Readonly<Record<string, string>>): HubOptions {
  const before = new Map(NAMES.map((name) => [name, Deno.env.get(name)]));
  try {
    for (const name of NAMES) {
      if (variables[name] === undefined) Deno.env.delete(name);
      else Deno.env.set(name, variables[name]);
    }
    return hubOptionsFromEnvironment();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("the cache is where Python's is", () => {
  const places: [Record<string, string>, string][] = [
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h" }, "/h/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/h", HF_HUB_CACHE: "/c" }, "/c"],
    [{ HF_HOME: "/h", HF_HUB_CACHE: "" }, "/h/hub"],
    [{ HF_HOME: "~/hf" }, join(homedir(), "hf/hub")],
    [{}, join(homedir(), ".cache/huggingface/hub")],
  ];
  for (const [variables, cache] of places) assert.equal(optionsWith(variables).cache, cache);
});

Deno.test("endpoint and offline mode", () => {
  const none = optionsWith({ HF_HOME: "/nowhere" });
  assert.equal(none.endpoint, "https://huggingface.co");
  assert.equal(none.offline, false);
  assert.equal(none.token, undefined);
  const mirror = { HF_HOME: "/nowhere", HF_ENDPOINT: "https://hub.example" };
  assert.equal(optionsWith(mirror).endpoint, "https://hub.example");
  for (const value of ["1", "ON", "yes", "True"]) {
    assert.equal(optionsWith({ HF_HOME: "/nowhere", HF_HUB_OFFLINE: value }).offline, true);
  }
  for (const value of ["0", "", "no"]) {
    assert.equal(optionsWith({ HF_HOME: "/nowhere", HF_HUB_OFFLINE: value }).offline, false);
  }
});

Deno.test("the token: of HF_TOKEN, of HF_TOKEN_PATH, of whoever has logged in", async () => {
  await withFolder(async (home) => {
    await Deno.writeTextFile(join(home, "token"), "hf_login\n");
    await Deno.writeTextFile(join(home, "other"), "  hf_other  ");
    const other = { HF_HOME: home, HF_TOKEN_PATH: join(home, "other") };
    assert.equal(optionsWith({ HF_HOME: home }).token, "hf_login");
    assert.equal(optionsWith(other).token, "hf_other");
    assert.equal(optionsWith({ ...other, HF_TOKEN: "hf_env" }).token, "hf_env");
    assert.equal(optionsWith({ ...other, HF_TOKEN: "" }).token, "hf_other");
    assert.throws(() => optionsWith({ HF_TOKEN_PATH: home }), {
      name: "InputError",
      message: /^Cannot read the token file \S+; make it readable, or set HF_TOKEN or /,
    });
  });
});
