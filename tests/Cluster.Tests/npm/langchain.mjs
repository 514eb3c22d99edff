// LangChain: node langchain.mjs BASE_URL MODEL
import { ChatOpenAI } from '@langchain/openai';
import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { z } from 'zod';

const [baseURL, model] = process.argv.slice(2);
const make = more =>
  new ChatOpenAI({
    model,
    apiKey: 'none',
    temperature: 0,
    maxTokens: 48,
    maxRetries: 0,
    configuration: { baseURL },
    ...more,
  });
const chat = make();

const first = await chat.invoke('What is the capital of France?');
let streamed = '';
for await (const chunk of await chat.stream([
  new HumanMessage('What is the capital of France?'),
  new AIMessage(first.text),
  new HumanMessage('And of Italy?'),
])) {
  streamed += chunk.text;
}

const weather = tool(async () => 'sunny', {
  name: 'weather',
  description: 'Tells the weather of a city.',
  schema: z.object({ city: z.enum(['Rome', 'Paris']) }),
});
const called = await chat.bindTools([weather], { tool_choice: 'weather' }).invoke('How is the weather in Rome?');
const answered = await chat
  .bindTools([weather])
  .invoke([
    new HumanMessage('How is the weather in Rome?'),
    called,
    new ToolMessage({ tool_call_id: called.tool_calls[0].id, content: 'sunny' }),
  ]);
const object = await chat
  .withStructuredOutput(z.object({ colour: z.enum(['red', 'blue']) }), { method: 'jsonSchema' })
  .invoke('Name a colour.');
let responses = null;
const stateful = make({ useResponsesApi: true });
const one = await stateful.invoke('What is the capital of France?');
const two = await stateful.invoke('And of Italy?', { previous_response_id: one.response_metadata.id });
responses = { one: one.text, two: two.text, cached: two.usage_metadata.input_token_details.cache_read };
let failed;
try {
  await make({ temperature: 9 }).invoke('Hi.');
} catch (error) {
  failed = error.status;
}

console.log(
  JSON.stringify({
    first: first.text,
    streamed,
    calls: called.tool_calls.map(made => ({ name: made.name, args: made.args })),
    answered: answered.text.length > 0 || answered.tool_calls.length > 0,
    object,
    responses,
    failed,
  }),
);
