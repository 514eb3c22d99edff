// What a request may hold. Each attack returns what went wrong, or nothing.
import { chat, model, post, readyNodes } from './cluster.mjs';

const user = content => [{ role: 'user', content }];

/** A request at each interface, with a text in it. */
const routes = text => [
  ['/v1/chat/completions', { model, max_tokens: 2, messages: user(text) }],
  ['/v1/completions', { model, max_tokens: 2, prompt: text }],
  ['/v1/responses', { model, max_output_tokens: 2, store: false, input: text }],
  ['/v1/messages', { model, max_tokens: 2, messages: user(text) }],
  ['/v1/messages/count_tokens', { model, messages: user(text) }],
  ['/v1/embeddings', { model, input: text }],
  ['/api/chat', { model, stream: false, options: { num_predict: 2 }, messages: user(text) }],
  ['/api/generate', { model, stream: false, options: { num_predict: 2 }, prompt: text }],
  ['/api/embed', { model, input: text }],
  ['/tokenize', { model, content: text }],
];

/** Posts requests one after the other. Returns the first that has none of the statuses. */
const expect = async (requests, ...statuses) => {
  for (const [route, body] of requests) {
    const { status, text } = await post(route, body);
    if (!statuses.includes(status)) {
      return `${route} ${JSON.stringify(body).slice(0, 120)}: ${status} ${text.slice(0, 200)}`;
    }
  }
};

const schema = value => ({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema: value } } });
const arrays = (count, deep) => ({
  $ref: '#/$defs/d0',
  $defs: Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, {
    type: 'array',
    items: { anyOf: Array.from({ length: deep }, (_, j) => ({ $ref: `#/$defs/d${(i + j) % count}` })) },
  }])),
});
const nested = depth => JSON.parse('{"type":"array","items":'.repeat(depth) + '{}' + '}'.repeat(depth));

/** Runs bombs beside short chats of another tenant. */
const beside = async bombs => {
  const running = bombs.map(bomb => bomb());
  const others = [];
  for (let i = 0; i < 5; i++) {
    others.push(await chat('Hello.', {}, { key: 'bob-key-0123456789' }));
  }

  const ended = await Promise.all(running);
  const slow = [...others, ...ended].find(({ status }) => ![200, 400, 429].includes(status));
  return slow && `${slow.status} after ${slow.seconds} s: ${slow.text.slice(0, 200)}`;
};

export const attacks = [
  {
    name: 'empty prompts stall no node',
    run: async () =>
      (await expect([
        ...routes('').filter(([route]) => !['/v1/embeddings', '/api/embed', '/tokenize'].includes(route)),
        ['/v1/completions', { model, prompt: [''], max_tokens: 2 }],
        ['/api/generate', { model, prompt: '', raw: true, stream: false, options: { num_predict: 2 } }],
        ['/v1/messages', { model, max_tokens: 2, messages: user([]) }],
        ['/v1/messages', { model, max_tokens: 2, messages: user([{ type: 'text', text: '' }]) }],
        ['/v1/chat/completions', { model, max_tokens: 2, messages: user(null) }],
        ['/v1/chat/completions', { model, max_tokens: 2, messages: [] }],
      ], 200, 400)) ?? (readyNodes() === 2 ? undefined : 'a node is not ready'),
  },
  {
    name: 'half surrogate pairs and bytes that are no UTF-8 are no 500',
    run: async () => {
      for (const bad of ['\\ud83d', 'caf\u00e9']) {
        const bodies = routes('BAD').map(([route, body]) =>
          [route, Buffer.from(JSON.stringify(body).replace('BAD', bad), 'latin1')]);
        const problem = await expect(bodies, 200, 400);
        if (problem) {
          return problem;
        }
      }
    },
  },
  {
    name: 'wrong types, nulls, deep nesting and numbers out of range are no 500',
    run: async () => {
      const values = [null, 5, -1, 1e400, true, [], {}, [null], [[]], { a: 1 }, '\u0000', 1e308,
        JSON.parse('['.repeat(60) + ']'.repeat(60))];
      const requests = routes('x').flatMap(([route, body]) => Object.keys(body).flatMap(field =>
        values.map(value => [route, { ...body, [field]: value }])));
      const odd = requests.filter((_, i) => i % 7 === 0);
      const deep = routes('DEEP').map(([route, body]) =>
        [route, JSON.stringify(body).replace('"DEEP"', '['.repeat(5000) + ']'.repeat(5000))]);
      return expect([...odd, ...deep], 200, 400, 404, 429);
    },
  },
  {
    name: 'schemas that are none are refused',
    run: () => expect([
      { type: 'object', properties: [] }, { type: 'object', properties: null }, { required: [5] }, { $ref: '#' },
      { type: 'string', pattern: '(a+)+$' }, { enum: [] }, { type: 5 }, { anyOf: {} }, 'x', 5,
      { properties: { a: { $ref: '#' } }, required: ['a'] }, { $ref: '#/nowhere' },
    ].map(value => ['/v1/chat/completions', { model, max_tokens: 2, messages: user('a'), ...schema(value) }]), 400),
  },
  {
    name: 'grammar bombs delay nobody',
    run: () => beside([arrays(2, 2), arrays(40, 8), nested(25),
      { type: 'array', minItems: 100_000, items: { type: 'string', minLength: 1000 } },
      { type: 'object', properties: Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, {}])) },
    ].map(value => () => chat('[', { ...schema(value), max_tokens: 200 }))),
  },
  {
    name: 'prompts of 3.9 MB are refused, and others are answered meanwhile',
    run: async () => {
      const long = 'many words '.repeat(Math.floor(3_900_000 / 11));
      const problem = await beside(Array.from({ length: 4 }, () => () => chat(long)));
      return problem ?? expect([['/v1/chat/completions', { model, messages: user(long) }]], 400);
    },
  },
  {
    name: 'a history of 801 messages is answered',
    run: async () => {
      const turns = Array.from({ length: 800 }, (_, i) =>
        ({ role: i % 2 ? 'assistant' : 'user', content: 'hello my friend' }));
      const body = { model, stream: false, options: { num_predict: 2 }, messages: [...turns, ...user('bye')] };
      const { status, text } = await post('/api/chat', body, { seconds: 120 });
      return status === 200 ? undefined : `${status} ${text.slice(0, 200)}`;
    },
  },
  {
    name: 'templates and grammars of clients are refused by name',
    run: () => expect([
      ['/v1/chat/completions', { model, messages: user('a'), chat_template: '{{ 1 }}' }],
      ['/v1/completions', { model, prompt: 'a', chat_template: '{{ 1 }}' }],
      ['/v1/responses', { model, input: 'a', chat_template: '{{ 1 }}' }],
      ['/v1/messages', { model, max_tokens: 1, messages: user('a'), chat_template: '{{ 1 }}' }],
      ['/api/chat', { model, messages: user('a'), template: '{{ .Prompt }}' }],
      ['/api/generate', { model, prompt: 'a', template: '{{ .Prompt }}' }],
    ], 400),
  },
  {
    name: 'answers that are aborted free their slots',
    run: async () => {
      for (let i = 0; i < 12; i++) {
        const abort = new AbortController();
        const call = chat('Tell me a long story.', { max_tokens: 1500, ignore_eos: true, stream: true },
          { signal: abort.signal });
        setTimeout(() => abort.abort(), 30 * i);
        await call;
      }

      const { status, text } = await chat('Hello.');
      return status === 200 ? undefined : `${status} ${text}`;
    },
  },
];
