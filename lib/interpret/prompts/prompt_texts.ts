/** The fixed texts of prompts: data that can be replaced, the published ones unless others are given. */
import { z } from "zod";
import { InputError } from "../../formats/input_error.ts";
import { PUBLISHED_DETECTION } from "./published_detection.ts";
import { PUBLISHED_EXPLAINER } from "./published_explainer.ts";
import { PUBLISHED_FUZZ } from "./published_fuzz.ts";

/** A question and its answer, shown before the real question. */
export interface Shot {
  readonly user: string;
  readonly assistant: string;
}

/** Texts of the default explainer. */
export interface ExplainerTexts {
  readonly system: string;
  /** The same, with the stages in which a model is to think aloud: explainer `cot`. */
  readonly systemInStages: string;
  readonly shots: readonly Shot[];
}

/** Texts of a scorer that asks for a 1 or a 0 per example. */
export interface ClassifierTexts {
  readonly system: string;
  readonly shots: readonly Shot[];
}

/** All of them. */
export interface PromptTexts {
  readonly explainer: ExplainerTexts;
  readonly detection: ClassifierTexts;
  readonly fuzz: ClassifierTexts;
}

/** The texts of delphi's prompts. */
export const PUBLISHED_TEXTS: PromptTexts = {
  explainer: PUBLISHED_EXPLAINER,
  detection: PUBLISHED_DETECTION,
  fuzz: PUBLISHED_FUZZ,
};

const SHOTS = z.array(z.strictObject({ user: z.string(), assistant: z.string() }));
const CLASSIFIER = z.strictObject({ system: z.string(), shots: SHOTS }).partial();
const TEXTS = z.strictObject({
  explainer: z.strictObject({ system: z.string(), systemInStages: z.string(), shots: SHOTS })
    .partial(),
  detection: CLASSIFIER,
  fuzz: CLASSIFIER,
}).partial();
const MESSAGES = z.array(z.object({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string(),
}));

/**
 * The published texts, some of them replaced.
 *
 * @param json an object as {@linkcode PromptTexts}, of which everything may be left out
 * @param source names it in messages
 * @throws InputError for anything else
 */
export function readPromptTexts(json: unknown, source: string): PromptTexts {
  const { success, data } = TEXTS.safeParse(json);
  if (!success) {
    throw new InputError(
      `${source} does not hold texts of prompts: expected an object with some of explainer, ` +
        `detection and fuzz, each with some of system and shots (a list of user and assistant), and ` +
        `systemInStages for explainer; mend or leave out what is different.`,
    );
  }
  return {
    explainer: { ...PUBLISHED_TEXTS.explainer, ...data.explainer },
    detection: { ...PUBLISHED_TEXTS.detection, ...data.detection },
    fuzz: { ...PUBLISHED_TEXTS.fuzz, ...data.fuzz },
  };
}

/**
 * The texts with the explainer's replaced by those of a published instruction file
 * (`default_instruction.json`): its system text as one JSON string, or the messages before the examples.
 *
 * @param source names the file in messages
 * @throws InputError for anything else
 */
export function withInstruction(texts: PromptTexts, json: unknown, source: string): PromptTexts {
  if (typeof json === "string") return replaced(texts, { system: json });
  const { success, data: messages } = MESSAGES.safeParse(json);
  const [first, ...rest] = success ? messages : [];
  if (first?.role !== "system") {
    throw new InputError(
      `${source} is not an instruction: expected a JSON string with the system text, or a list of ` +
        `messages (role, content) that begins with it; export it again.`,
    );
  }
  const shots = rest.flatMap(({ role, content }, i) =>
    role === "user" && rest[i + 1]?.role === "assistant"
      ? [{ user: content, assistant: rest[i + 1].content }]
      : []
  );
  return replaced(texts, {
    system: first.content,
    ...(shots.length > 0 ? { shots } : {}),
  });
}

function replaced(texts: PromptTexts, explainer: Partial<ExplainerTexts>): PromptTexts {
  return { ...texts, explainer: { ...texts.explainer, ...explainer } };
}
