// Clients for Node against a gateway: every check for every model, one line of JSON for each.
//
//     node suite.mjs BASE_URL MODEL...

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// The packages stand in the cache, not beside this file.
const require = createRequire(`${process.env.CLIENTS_PACKAGES}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const { default: OpenAI } = await load("openai");
const { zodResponseFormat } = await load("openai/helpers/zod");
const { default: Anthropic } = await load("@anthropic-ai/sdk");
const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const { generateText, generateObject, stepCountIs, streamObject, streamText, tool } =
  await load("ai");
const { z } = await load("zod");

const [url, ...models] = process.argv.slice(2);
const options = { apiKey: "any", maxRetries: 0 };
const openai = new OpenAI({ ...options, baseURL: `${url}/v1` });
const anthropic = new Anthropic({ ...options, baseURL: url });
const vercel = createOpenAICompatible({
  name: "gateway",
  baseURL: `${url}/v1`,
  includeUsage: true,
  supportsStructuredOutputs: true,
});

const City = z.object({ city: z.string(), days: z.number() });
const said = (text) => [{ role: "user", content: text }];
const call = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
    },
  },
};
const vercelTools = (calls) => ({
  get_weather: tool({
    description: "The weather in a city",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      calls.push(city);
      return `dry in ${city}`;
    },
  }),
});

const speaker = (model) => model.replace("-only", "");

const checks = {
  async openai_reply(model) {
    const reply = await openai.chat.completions.create({ model, messages: said("marco") });
    assert.match(reply.choices[0].message.content, new RegExp(`Hello from ${speaker(model)}.*marco`));
    assert.equal(reply.choices[0].finish_reason, "stop");
    assert.ok(reply.usage.total_tokens > reply.usage.completion_tokens);
  },

  async openai_stream(model) {
    const stream = openai.chat.completions.stream({
      model,
      messages: said("marco"),
      stream_options: { include_usage: true },
    });
    let text = "";
    stream.on("content", (delta) => (text += delta));
    const whole = await stream.finalChatCompletion();
    assert.match(text, /marco/);
    assert.equal(whole.choices[0].message.content, text);
    assert.ok(whole.usage.total_tokens > 0);
  },

  async openai_tool_loop(model) {
    for (const stream of [false, true]) {
      const calls = [];
      const run = {
        ...call,
        function: { ...call.function, parse: JSON.parse, function: ({ city }) => calls.push(city) && `dry in ${city}` },
      };
      const runner = openai.chat.completions.runTools({
        model,
        stream,
        messages: said("the weather, in parallel"),
        tools: [run],
      });
      const last = await runner.finalContent();
      assert.deepEqual(new Set(calls), new Set(["text"]));
      assert.equal(calls.length, 2);
      assert.match(last, /The tool said: .*dry in text/);
    }
  },

  async openai_parse(model) {
    const reply = await openai.chat.completions.parse({
      model,
      messages: said("rate this"),
      response_format: zodResponseFormat(City, "city"),
    });
    assert.deepEqual(reply.choices[0].message.parsed, { city: "text", days: 1.5 });
  },

  async openai_errors(model) {
    const none = openai.chat.completions.create({ model: "none", messages: said("x") });
    await assert.rejects(none, OpenAI.NotFoundError);
    const empty = openai.chat.completions.create({ model, messages: [] });
    await assert.rejects(empty, OpenAI.BadRequestError);
  },

  async vercel_text(model) {
    const reply = await generateText({ model: vercel(model), prompt: "marco", maxRetries: 0 });
    assert.match(reply.text, new RegExp(`Hello from ${speaker(model)}.*marco`));
    assert.equal(reply.finishReason, "stop");
    assert.ok(reply.usage.inputTokens > 0 && reply.usage.outputTokens > 0);
  },

  async vercel_stream(model) {
    const reply = streamText({ model: vercel(model), prompt: "marco", maxRetries: 0 });
    let text = "";
    for await (const piece of reply.textStream) text += piece;
    assert.match(text, /marco/);
    assert.equal(await reply.finishReason, "stop");
    assert.ok((await reply.usage).outputTokens > 0);
  },

  async vercel_tool_loop(model) {
    const ask = { model: vercel(model), prompt: "the weather, please", maxRetries: 0 };
    let calls = [];
    let reply = await generateText({ ...ask, tools: vercelTools(calls), stopWhen: stepCountIs(3) });
    assert.deepEqual(calls, ["text"]);
    assert.match(reply.text, /The tool said: .*dry in text/);
    calls = [];
    reply = streamText({ ...ask, tools: vercelTools(calls), stopWhen: stepCountIs(3) });
    assert.match(await reply.text, /The tool said: .*dry in text/);
    assert.deepEqual(calls, ["text"]);
    assert.equal((await reply.steps).length, 2);
  },

  async vercel_object(model) {
    const ask = { model: vercel(model), schema: City, prompt: "rate this", maxRetries: 0 };
    assert.deepEqual((await generateObject(ask)).object, { city: "text", days: 1.5 });
    const reply = streamObject({ ...ask, onError: () => {} });
    let object;
    for await (const partial of reply.partialObjectStream) object = partial;
    assert.deepEqual(object, { city: "text", days: 1.5 });
  },

  async anthropic_tools(model) {
    const tools = [
      { name: "get_weather", description: "The weather", input_schema: call.function.parameters },
    ];
    const ask = { model, max_tokens: 1024, tools };
    const messages = said("the weather, please");
    const reply = await anthropic.messages.stream({ ...ask, messages }).finalMessage();
    assert.equal(reply.stop_reason, "tool_use");
    const use = reply.content.find((block) => block.type === "tool_use");
    assert.deepEqual(use.input, { city: "text" });
    messages.push({ role: "assistant", content: reply.content });
    const result = { type: "tool_result", tool_use_id: use.id, content: "dry" };
    messages.push({ role: "user", content: [result] });
    const last = await anthropic.messages.create({ ...ask, messages });
    assert.equal(last.stop_reason, "end_turn");
    assert.match(last.content.at(-1).text, /The tool said: .*dry/);
  },
};

// Not unreferenced: a check that never ends would end the process without a word.
const patience = () =>
  new Promise((_, reject) => setTimeout(reject, 15_000, new Error("no end within 15 s")));

for (const model of models) {
  const outcomes = Object.entries(checks).map(async ([check, run]) => {
    try {
      await Promise.race([run(model), patience()]);
      return { check, model, error: null };
    } catch (error) {
      return { check, model, error: String(error.stack ?? error) };
    }
  });
  for (const outcome of await Promise.all(outcomes)) console.log(JSON.stringify(outcome));
}

process.exit();
