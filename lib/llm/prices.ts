/** What tokens cost. */
import { z } from "zod";
import type { Usage } from "./chat.ts";

/** US dollars per million tokens. */
export interface Prices {
  readonly prompt: number;
  readonly completion: number;
}

/** US dollars for so many tokens. */
export function costOf({ promptTokens, completionTokens }: Usage, prices: Prices): number {
  return (promptTokens * prices.prompt + completionTokens * prices.completion) / 1e6;
}

/** A list of models in OpenRouter's form: prices are decimal texts, in dollars per token. */
const Listing = z.object({
  data: z.array(z.object({
    id: z.string(),
    pricing: z.object({ prompt: z.string(), completion: z.string() }).optional(),
  })),
});

/** The prices of a model in the answer of `GET models`; undefined where it does not tell. */
export function listedPrices(listing: unknown, model: string): Prices | undefined {
  const pricing = Listing.safeParse(listing).data?.data.find(({ id }) => id === model)?.pricing;
  if (pricing === undefined) return undefined;
  const [prompt, completion] = [perMillion(pricing.prompt), perMillion(pricing.completion)];
  return prompt >= 0 && completion >= 0 ? { prompt, completion } : undefined;
}

/** Without the last digits, which would make 0.0000003 dollars 0.29999999999999999 per million. */
function perMillion(price: string): number {
  return Number((Number(price) * 1e6).toPrecision(12));
}
