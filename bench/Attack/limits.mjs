// Limits of tenants.
import { chat, keys, model, post } from './cluster.mjs';

const tokensOf = ({ status, text }) => (status === 200 ? JSON.parse(text).usage?.completion_tokens ?? 0 : 0);

export const attacks = [
  {
    name: 'tokens a minute hold at HTTP interfaces, over both gateways',
    run: async () => {
      const answers = [];
      for (let i = 0; i < 24; i++) {
        answers.push(await chat('Count to a hundred.', { max_tokens: 40 }, { key: keys.carol, gateway: i % 2 }));
      }

      const tokens = answers.reduce((sum, answer) => sum + tokensOf(answer), 0);
      const refused = answers.filter(({ status }) => status === 429).length;
      // An answer that began under the limit may end beyond it; one begins at each gateway.
      return tokens <= 60 + 2 * 40 && refused >= 18 ? undefined : `${tokens} tokens, ${refused} of 24 refused`;
    },
  },
  {
    name: 'of 24 conversations that are made at once, a limit of 3 lets 3 be',
    run: async () => {
      const made = await Promise.all(Array.from({ length: 24 }, (_, i) =>
        post('/v1/conversations', {}, { key: keys.dave, gateway: i % 2 })));
      const count = made.filter(({ status }) => status === 200).length;
      return count === 3 ? undefined : `${count} were made: ${made.map(({ status }) => status).join(' ')}`;
    },
  },
  {
    name: 'numbers beyond their limits are refused',
    run: async () => {
      for (const more of [{ n: 1e9 }, { max_tokens: -1 }, { stop: Array(17).fill('x') }, { logit_bias: { 0: 1e9 } },
        { logprobs: true, top_logprobs: 1000 }, { temperature: -1 }, { top_p: 2 }]) {
        const { status } = await post('/v1/chat/completions', { model, messages: [{ role: 'user', content: 'a' }],
          ...more });
        if (status !== 400) {
          return `${JSON.stringify(more).slice(0, 80)}: ${status}`;
        }
      }
    },
  },
];
