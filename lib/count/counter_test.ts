/** Counts of the embedded model against the oracle's, and their independence of batching. */
import assert from "node:assert/strict";
import { oracleCounts } from "../../tests/support/oracle_counts.ts";
