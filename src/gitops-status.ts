import { runCli } from './reporter/cli.ts'

// Lines go out whole and at once: a pipeline's log shows each step when it happens, and a reader that went away
// (`| head`) ends nothing.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const interruption = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort())
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
  })
} catch (error) {
  console.error('gitops-status failed in a way that it should not:', error)
  process.exitCode = 1
}
