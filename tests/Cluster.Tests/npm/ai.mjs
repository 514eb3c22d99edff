// Vercel's AI SDK: node ai.mjs BASE_URL MODEL
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const [baseURL, id] = process.argv.slice(2);
const model = createOpenAICompatible({ name: 'herd', baseURL, apiKey: 'none', supportsStructuredOutputs: true })(id);
const common = { model, temperature: 0, maxOutputTokens: 48, maxRetries: 0 };

const first = await generateText({ ...common, prompt: 'What is the capital of France?' });

let streamed = '';
const stream = streamText({
  ...common,
  messages: [
    { role: 'user', content: 'What is the capital of France?' },
    { role: 'assistant', content: first.text },
    { role: 'user', content: 'And of Italy?' },
  ],
});
for await (const text of stream.textStream) {
  streamed += text;
}

let asked;
const tooled = await generateText({
  ...common,
  prompt: 'How is the weather in Rome?',
  tools: {
    weather: tool({
      description: 'Tells the weather of a city.',
      inputSchema: z.object({ city: z.enum(['Rome', 'Paris']) }),
      execute: async input => {
        asked = input;
        return 'sunny';
      },
    }),
  },
  toolChoice: 'required',
  stopWhen: stepCountIs(1),
});
const object = await generateText({
  ...common,
  prompt: 'Name a colour.',
  output: Output.object({ schema: z.object({ colour: z.enum(['red', 'blue']) }) }),
});
let failed;
try {
  await generateText({ ...common, temperature: 9, prompt: 'Hi.' });
} catch (error) {
  failed = error.statusCode;
}

console.log(
  JSON.stringify({
    first: first.text,
    streamed,
    finish: await stream.finishReason,
    cached: (await stream.usage).cachedInputTokens ?? (await stream.usage).inputTokenDetails?.cacheReadTokens,
    asked,
    tooled: tooled.finishReason,
    object: object.output,
    failed,
  }),
);
