// Runs herd chaos as one tenant in phases of a minute, with and without another tenant's attacks beside it.
import { setTimeout as pause } from 'node:timers/promises';
import { chat, environment, herd, herdBeside, keys, model, post, upArguments } from './cluster.mjs';
import { bombs, longText } from './inputs.mjs';

/** How much longer the users of the chaos may wait for the first tokens of later turns. */
const maxRatio = 1.5;

/** The attacks. Each goes on in a loop of its own, at both gateways in turn. */
const attacks = [
  (i, options) => chat('[', bombs[i % bombs.length], options),
  (_, options) => post('/v1/completions', { model, max_tokens: 2, prompt: '' }, options),
  (i, options) =>
    chat('Tell me a long story.', { max_tokens: 1500, ignore_eos: true, stream: true },
      { ...options, signal: AbortSignal.any([options.signal, AbortSignal.timeout(30 * (i % 40))]) }),
  (_, options) => chat(longText(), {}, options),
];

/** Attacks until the signal. Returns the number of requests by status; 0 are those without an answer. */
const attackUntil = async signal => {
  const statuses = {};
  await Promise.all(attacks.map(async attack => {
    for (let i = 0; !signal.aborted; i++) {
      const { status } = await attack(i, { key: keys.alice, gateway: i % 2, signal });
      statuses[status] = (statuses[status] ?? 0) + 1;
      await pause(10);
    }
  }));
  return statuses;
};

/** A minute of chaos. Phases with the same seed have the same faults and messages. */
const phase = async (seed, isAttacked) => {
  const end = new AbortController();
  const attack = isAttacked ? attackUntil(end.signal) : Promise.resolve({});
  const { code, output } = await herdBeside('chaos', '--minutes', '1', '--seed', `${seed}`, '--json');
  end.abort();
  const requests = await attack;
  let figures;
  try {
    figures = JSON.parse(output.trimEnd().split('\n').at(-1));
  } catch {
    throw new Error(`herd chaos ended with ${code}: ${output.slice(-2000)}`);
  }

  const { turns, later_turns: laterTurns, violations } = figures;
  const p95 = figures.later_first_token_seconds.p95;
  console.log(`${isAttacked ? 'attacked' : 'quiet   '} seed ${seed}: first token of ${laterTurns} later turns `
    + `p95 ${p95.toFixed(2)} s, ${turns} turns, ${violations.length} violations ${JSON.stringify(requests)}`);
  return { seed, attacked: isAttacked, p95, turns, later_turns: laterTurns, violations, requests };
};

const median = values => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

/**
 * Runs pairs of phases; every second pair begins with the attacked one.
 * @returns The phases, and the ratio of the median p95 with the attacker to that without.
 */
export const besideChaos = async minutes => {
  environment.HERD_API_KEY = keys.bob;
  const up = herd(...upArguments.with(upArguments.indexOf('--nodes') + 1, '3'));
  if (up.status !== 0) {
    throw new Error(`herd up ended with ${up.status}: ${up.stderr}${up.stdout}`);
  }

  const phases = [];
  for (let pair = 1; pair <= Math.max(1, Math.floor(minutes / 2)); pair++) {
    for (const isAttacked of pair % 2 === 1 ? [false, true] : [true, false]) {
      phases.push(await phase(pair, isAttacked));
    }
  }

  const p95Of = isAttacked => median(phases.filter(({ attacked }) => attacked === isAttacked).map(({ p95 }) => p95));
  const ratio = p95Of(true) / p95Of(false);
  const ok = ratio <= maxRatio && phases.every(({ violations }) => violations.length === 0);
  console.log(`first token of later turns, p95: ${p95Of(true).toFixed(2)} s with the attacker and `
    + `${p95Of(false).toFixed(2)} s without, ${ratio.toFixed(2)} times; at most ${maxRatio}`);
  return { ok, ratio, phases };
};
