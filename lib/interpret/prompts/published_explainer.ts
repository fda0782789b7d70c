/**
 * Texts of the default explainer's prompt, published with delphi (EleutherAI, Apache-2.0,
 * https://github.com/EleutherAI/delphi): `--compat paper` needs them to the letter, slips of spelling
 * included (spec train-and-interpret B.6).
 */
import type { ExplainerTexts } from "./prompt_texts.ts";

const SYSTEM =
  `You are a meticulous AI researcher conducting an important investigation into patterns found in language. Your task is to analyze text and provide an explanation that thoroughly encapsulates possible patterns found in it.
Guidelines:

You will be given a list of text examples on which special words are selected and between delimiters like <<this>>. If a sequence of consecutive tokens all are important, the entire sequence of tokens will be contained between delimiters <<just like this>>. How important each token is for the behavior is listed after each example in parentheses.

- Try to produce a concise final description. Simply describe the text latents that are common in the examples, and what patterns you found.
- If the examples are uninformative, you don't need to mention them. Don't focus on giving examples of important tokens, but try to summarize the patterns found in the examples.
- Do not mention the marker tokens (<< >>) in your explanation.
- Do not make lists of possible explanations. Keep your explanations short and concise.
- The last line of your response must be the formatted explanation, using [EXPLANATION]:
`;

const STAGES = `
To better find the explanation for the language patterns go through the following stages:

1.Find the special words that are selected in the examples and list a couple of them. Search for patterns in those words, if there are any. Don't list more than 5 words.

2. Write down general shared latents of the text examples. This could be related to the full sentence or to the words surrounding the marked words.

3. Formulate an hypothesis and write down the final explanation using [EXPLANATION]:.

`;

/** System texts, and the three examples that are shown to the explainer. */
export const PUBLISHED_EXPLAINER: ExplainerTexts = {
  system: `${SYSTEM}\n\n`,
  systemInStages: `${SYSTEM}\n${STAGES}\n`,
  shots: [
    {
      user: `
Example 1:  and he was <<over the moon>> to find
Activations: ("over", 5), (" the", 6), (" moon", 9)
Example 2:  we'll be laughing <<till the cows come home>>! Pro
Activations: ("till", 5), (" the", 5), (" cows", 8), (" come", 8), (" home", 8)
Example 3:  thought Scotland was boring, but really there's more <<than meets the eye>>! I'd
Activations: ("than", 5), (" meets", 7), (" the", 6), (" eye", 8)
`,
      assistant: `
[EXPLANATION]: Common idioms in text conveying positive sentiment.
`,
    },
    {
      user: `
Example 1:  a river is wide but the ocean is wid<<er>>. The ocean
Activations: ("er", 8)
Example 2:  every year you get tall<<er>>," she
Activations: ("er", 2)
Example 3:  the hole was small<<er>> but deep<<er>> than the
Activations: ("er", 9), ("er", 9)
`,
      assistant: `
[EXPLANATION]: The token "er" at the end of a comparative adjective describing size.
`,
    },
    {
      user: `
Example 1:  something happening inside my <<house>>", he
Activations: ("house", 7)
Example 2:  presumably was always contained in <<a box>>", according
Activations: ("a", 5), ("box", 9)
Example 3:  people were coming into the <<smoking area>>".

However he
Activations: ("smoking", 2), ("area", 4)
Example 4:  Patrick: "why are you getting in the << way?>>" Later,
Activations: ("way", 4), ("?", 2)
`,
      assistant: `
[EXPLANATION]: Nouns representing a distinct objects that contains something, sometimes preciding a quotation mark.
`,
    },
  ],
};
