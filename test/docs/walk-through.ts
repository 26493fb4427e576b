// Goes through the documents as a reader would, block by block, and prints one line of JSON for each. Runs in
// namespaces of its own (code-blocks.test.ts): the cluster's names, port 80 and port 8080 are nobody else's there.
import { everyBlock } from './documents.ts'
import type { Reader } from './walk.ts'
import { makeWorld } from './world.ts'

export interface Outcome {
  readonly name: string
  readonly seconds: number
  /** Null when all was as the document says. */
  readonly error: string | null
}

const steps = everyBlock()
await using world = await makeWorld()
let reader: Reader = { ...world, printed: '', running: [] }

for (const { name, treatment, block, begins } of steps) {
  if (begins) {
    await close(reader)
    reader = { ...world, printed: '', running: [] }
  }
  if (treatment.kind !== 'done') continue
  const began = performance.now()
  let error: string | null = null
  try {
    await treatment.by(reader, block)
  } catch (problem) {
    error = problem instanceof Error ? (problem.stack ?? problem.message) : String(problem)
  }
  const outcome: Outcome = { name, seconds: (performance.now() - began) / 1000, error }
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
await close(reader)

async function close({ running }: Reader): Promise<void> {
  for (const end of running) await end()
}
