// Sums up what ./test ran: node tests/report.mjs RESULTS SECONDS JSON.
// RESULTS holds one CTRF report a project (NAME.json), NAME.failed for each that ended with an error, and steps: lines
// "STATE SECONDS NAME".
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const [results, seconds, json] = process.argv.slice(2);
const files = readdirSync(results);
const tests = files
  .filter((file) => file.endsWith(".json"))
  .flatMap((file) => JSON.parse(readFileSync(join(results, file), "utf8")).results.tests)
  .map((test) => ({ name: test.name, status: test.status, seconds: test.duration / 1000, message: test.message }));
for (const line of readFileSync(join(results, "steps"), "utf8").split("\n").filter((line) => line !== "")) {
  const [status, took, ...name] = line.split(" ");
  tests.push({ name: name.join(" "), status, seconds: Number(took) });
}

const passed = tests.filter((test) => test.status === "passed").length;
const failures = tests.filter((test) => test.status === "failed");
const skipped = tests.length - passed - failures.length;

// A project can fail without a failed test: when a fixture fails, or its process ends before the report is written.
const projects = files.filter((file) => file.endsWith(".failed")).map((file) => file.slice(0, -".failed".length));
const failed = Math.max(failures.length, projects.length);
const slowest = tests
  .sort((one, other) => other.seconds - one.seconds)
  .slice(0, 10)
  .map((test) => ({ name: test.name, seconds: Number(test.seconds.toFixed(1)) }));

console.log("The ten slowest:");
slowest.forEach((test) => console.log(`${test.seconds.toFixed(1).padStart(7)} s  ${test.name}`));
for (const test of failures) {
  console.log(`FAILED ${test.name}`);
  (test.message ?? "").split("\n").slice(0, 20).forEach((line) => console.log(`    ${line}`));
}

projects.forEach((project) => console.log(`FAILED project ${project}.Tests`));
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds} s`);
if (passed === 0 || skipped > 0) {
  console.log("That is not a pass: nothing ran, or something was skipped.");
}

if (json === "true") {
  console.log(JSON.stringify({ passed, failed, skipped, seconds: Number(seconds), slowest }));
}

process.exitCode = passed > 0 && failed === 0 && skipped === 0 ? 0 : 1;
