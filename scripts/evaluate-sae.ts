#!/usr/bin/env -S deno run --allow-ffi --allow-env --allow-read --allow-write --allow-sys --allow-net
/** babelscope evaluate-sae: how good SAEs are, on their own and in the model they were made for. */
import { run } from "../lib/cli/run.ts";
import { runEvaluation } from "../lib/train/evaluation/evaluate_step.ts";
import { evaluateCommand } from "../lib/train/evaluation/options.ts";

if (import.meta.main) await run(evaluateCommand(), runEvaluation);
