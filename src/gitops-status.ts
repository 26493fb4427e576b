import { createInterface } from 'node:readline/promises'
import { runCli } from './reporter/cli.ts'

// Lines go out whole and at once: a pipeline's log shows each step when it happens, and a reader that went away
// (`| head`) ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort())
}

/** Null when the person ends the input (Ctrl-D) or the run (Ctrl-C) instead of answering. */
async function ask(question: string): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const ended = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)))
  try {
    const answer = terminal.question(question, { signal: interruption.signal }).catch(() => null)
    const given = await Promise.race([answer, ended])
    if (given === null) process.stdout.write('\n') // the line that was not ended
    return given
  } finally {
    terminal.close()
  }
}

try {
  process.exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    directory: process.cwd(),
    console: {
      out: (line) => process.stdout.write(`${line}\n`),
      err: (line) => process.stderr.write(`${line}\n`),
    },
    terminal: process.stdout.isTTY === true,
    signal: interruption.signal,
    ...(process.stdout.isTTY === true && {
      screen: {
        size: () => ({ rows: process.stdout.rows, columns: process.stdout.columns }),
        write: (text: string) => void process.stdout.write(text),
      },
    }),
    ...(process.stdin.isTTY === true && process.stdout.isTTY === true && { ask }),
  })
} catch (error) {
  console.error('gitops-status failed in a way that it should not:', error)
  process.exitCode = 1
}
