#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write
/** babelscope doctor: what the kernels run on here, and whether it computes right. */
import { bringUpAdapter } from "../lib/cli/adapter.ts";
import { print } from "../lib/cli/output.ts";
import { run } from "../lib/cli/run.ts";
import { step } from "../lib/cli/step.ts";
import { table } from "../lib/cli/table.ts";
import { Gpu } from "../lib/gpu/device.ts";
import { selfTest } from "../lib/gpu/self_test.ts";

const command = step(
  "doctor",
  "Say which adapter the kernels run on, and test it.",
  "babelscope doctor",
);

/** Limits that decide how kernels are laid out. */
const TELLING_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
  "maxTextureDimension2D",
] as const;

/** Features that a kernel can make use of. */
const TELLING_FEATURES = ["shader-f16", "timestamp-query"] as const;

async function doctor(): Promise<void> {
  const { adapter, description, driver, software } = await bringUpAdapter();
  const rows = [
    ["Deno", `${Deno.version.deno} (V8 ${Deno.version.v8}, ${Deno.build.target})`],
    ["adapter", `${description}${software ? ", software" : ""}`],
    ["driver", driver || "not told by this system"],
    ...TELLING_LIMITS.map((name) => [name, adapter.limits[name].toLocaleString("en")]),
    ...TELLING_FEATURES.map((name) => [name, adapter.features.has(name) ? "yes" : "no"]),
  ];
  using gpu = await Gpu.open(adapter);
  const { longLoops } = await selfTest(gpu, driver);
  rows.push(
    ["kernels of the heavy products", gpu.identity.family],
    ["lanes that share what they fetch", gpu.subgroupLanes ? String(gpu.subgroupLanes) : "none"],
    ["self-test", "passed"],
    ["loops beyond 65,535 rounds", longLoops ? "run" : "stop: texts are limited to 65,000 tokens"],
  );
  print(table([{ header: "what" }, { header: "here" }], rows));
}

if (import.meta.main) await run(command, doctor);
