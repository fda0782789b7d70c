/** The index as a database. A latent's `id` is `row * width + index`, as in counts. */
import { DatabaseSync } from "node:sqlite";

/** Name of the index in the folder of the results. */
export const INDEX_FILE = "explore.sqlite";

/**
 * - `texts`: `pieces` is a JSON list with the text of each token.
 * - `features`: `low` and `high` the interval of the entropy; `languages` a JSON list of names; `strongest` the position of the language in which it
 *   fires most often; `statistics` f32 [languages][{@linkcode STATISTICS}], NaN where not known.
 * - `details`: of tracked latents; lists in JSON, relations as [id, cosine].
 * - `firings`: of tracked latents; `histogram` and `firings` as firings.ts writes them.
 * - `words`: what a search looks through (words.ts), of tracked latents. Trigrams find any part of a word
 *   in any script.
 */
const SCHEMA = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE texts (
    id INTEGER PRIMARY KEY, language INTEGER NOT NULL, label TEXT NOT NULL, article TEXT,
    pieces TEXT NOT NULL
  );
  CREATE INDEX articles ON texts (article, language) WHERE article IS NOT NULL;
  CREATE TABLE features (
    id INTEGER PRIMARY KEY, layer INTEGER NOT NULL, "index" INTEGER NOT NULL,
    identified INTEGER NOT NULL, languages TEXT NOT NULL, strongest INTEGER,
    entropy REAL, low REAL, high REAL, probability REAL NOT NULL, max REAL NOT NULL,
    statistics BLOB NOT NULL
  );
  CREATE UNIQUE INDEX places ON features (layer, "index");
  CREATE TABLE owners (language INTEGER NOT NULL, id INTEGER NOT NULL,
    PRIMARY KEY (language, id)) WITHOUT ROWID;
  CREATE TABLE details (
    id INTEGER PRIMARY KEY, q REAL, explanation TEXT, scores TEXT NOT NULL,
    tokens TEXT NOT NULL, outputs TEXT NOT NULL, nearest TEXT NOT NULL, opposing TEXT NOT NULL
  );
  CREATE TABLE firings (
    id INTEGER NOT NULL, language INTEGER NOT NULL, histogram BLOB NOT NULL, firings BLOB NOT NULL,
    PRIMARY KEY (id, language)
  );
  CREATE VIRTUAL TABLE words USING fts5 (text, tokenize = "trigram", detail = "none");
`;

/** Made once all rows are there. */
const ORDERS = `
  CREATE INDEX by_entropy ON features (identified, entropy IS NULL, entropy);
  CREATE INDEX by_probability ON features (identified, probability DESC);
  CREATE INDEX all_by_entropy ON features (entropy IS NULL, entropy);
  CREATE INDEX all_by_probability ON features (probability DESC);
`;

/** Numbers per language of a latent: activation probability, its interval, and activations above 0. */
export const STATISTICS = ["probability", "low", "high", "mean", "max"] as const;

/** Intervals of the histograms, from 0 to the latent's largest activation. */
export const BINS = 24;

/** A database to be filled; nothing is durable before it is closed. */
export function createIndex(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA page_size = 8192; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;");
  database.exec(SCHEMA);
  return database;
}

/** Ends the filling: lists in every order. */
export function finishIndex(database: DatabaseSync): void {
  database.exec(ORDERS);
  database.exec(
    "INSERT INTO words (words) VALUES ('optimize'); PRAGMA synchronous = FULL; ANALYZE;",
  );
}

/** A filled database, to be read. */
export function openIndex(path: string): DatabaseSync {
  return new DatabaseSync(path, { readOnly: true });
}

/** Runs `fill` as one transaction. */
export function inTransaction<T>(database: DatabaseSync, fill: () => T): T {
  database.exec("BEGIN");
  const result = fill();
  database.exec("COMMIT");
  return result;
}
