/**
 * Texts of the fuzz scorer's prompt, published with delphi (EleutherAI, Apache-2.0,
 * https://github.com/EleutherAI/delphi): spec train-and-interpret B.7. The examples shown are spelt as a
 * byte-level tokenizer stores them.
 */
import type { ClassifierTexts } from "./prompt_texts.ts";

/** System text, and the three examples that are shown to the scorer. */
export const PUBLISHED_FUZZ: ClassifierTexts = {
  system: `You are an intelligent and meticulous linguistics researcher.

You will be given a certain latent of text, such as "male pronouns" or "text with negative sentiment". You will be given a few examples of text that contain this latent. Portions of the sentence which strongly represent this latent are between tokens << and >>.

Some examples might be mislabeled. Your task is to determine if every single token within << and >> is correctly labeled. Consider that all provided examples could be correct, none of the examples could be correct, or a mix. An example is only correct if every marked token is representative of the latent

For each example in turn, return 1 if the sentence is correctly labeled or 0 if the tokens are mislabeled. You must return your response in a valid Python list. Do not return anything else besides a Python list.
`,
  shots: [
    {
      user:
        `Latent explanation: Words related to American football positions, specifically the tight end position.

Test examples:

Example 0:<|endoftext|>Getty ImagesĊĊPatriots<< tight end>> Rob Gronkowski had his bossâĢĻ
Example 1: posted<|endoftext|>You should know this<< about>> offensive line coaches: they are large, demanding<< men>>
Example 2: Media Day 2015ĊĊLSU<< defensive>> end Isaiah Washington (94) speaks<< to the>>
Example 3:<< running backs>>," he said. .. Defensive<< end>> Carroll Phillips is improving and his injury is
Example 4:<< line>>, with the left side âĢĶ namely<< tackle>> Byron Bell at<< tackle>> and<< guard>> Amini
`,
      assistant: "[1,0,0,1,1]",
    },
    {
      user: `Latent explanation: The word "guys" in the phrase "you guys".

Test examples:

Example 0: enact an individual health insurance<< mandate>>?âĢĿ, Pelosi's response was to dismiss both
Example 1: birth control access<|endoftext|> but I assure you<< women>> in Kentucky aren't laughing as they struggle
Example 2: du Soleil Fall Protection Program with<< construction>> requirements that do not apply to theater settings because
Example 3:<< distasteful>>. amidst the slime lurk<< bits>> of Schadenfre
Example 4: the<|endoftext|>ľI want to<< remind>> you all that 10 days ago (director Massimil
`,
      assistant: "[0,0,0,0,0]",
    },
    {
      user: `Latent explanation: "of" before words that start with a capital letter.

Test examples:

Example 0: climate, TomblinâĢĻs Chief<< of>> Staff Charlie Lorensen said.Ċ
Example 1: no wonderworking relics, no true Body and Blood<< of>> Christ, no true Baptism
Example 2:ĊĊDeborah Sathe, Head<< of>> Talent Development and Production at Film London,
Example 3:ĊĊIt has been devised by Director<< of>> Public Prosecutions (DPP)
Example 4: and fair investigation not even include the Director<< of>> Athletics? Â· Finally, we believe the
`,
      assistant: "[1,1,1,1,1]",
    },
  ],
};
