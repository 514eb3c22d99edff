// Runs the attacks and prints a line for each.
import fs from 'node:fs';
import { herd, home, readyNodes, upArguments } from './cluster.mjs';
import { attacks as inputs } from './inputs.mjs';
import { attacks as limits } from './limits.mjs';
import { attacks as access } from './access.mjs';

const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : '';
const json = process.argv.includes('--json');
const attacks = [...access, ...inputs, ...limits].filter(({ name }) => name.includes(only));
const results = [];

const tell = (name, problem) => {
  results.push({ name, ok: !problem, problem });
  console.log(`${problem ? 'FAIL' : 'ok  '} ${name}${problem ? `: ${problem}` : ''}`);
};

try {
  const up = herd(...upArguments);
  if (up.status !== 0) {
    throw new Error(`herd up ended with ${up.status}: ${up.stderr}${up.stdout}`);
  }

  for (const { name, run } of attacks) {
    try {
      tell(name, await run());
    } catch (error) {
      tell(name, `${error.stack}`);
    }
  }

  tell('after all of them both nodes are ready', readyNodes() === 2 ? '' : herd('nodes').stdout);
  const unhandled = ['gateway-1', 'gateway-2'].flatMap(name =>
    fs.readFileSync(`${home}/logs/${name}.log`, 'utf8').split('\n').filter(line => /unhandled exception/i.test(line)));
  tell('no gateway left an exception unhandled', unhandled[0] ?? '');
} finally {
  herd('down');
  fs.rmSync(home, { recursive: true, force: true });
}

const failed = results.filter(({ ok }) => !ok).length;
console.log(`${results.length - failed} of ${results.length} attacks were warded off`);
if (json) {
  console.log(JSON.stringify({ attacks: results.length, failed, results }));
}
process.exitCode = failed > 0 || results.length < 3 ? 1 : 0;
