import { printable } from '../check-error.ts'
import type { RunAnsible } from '../full-checks.ts'

const PULL_TIMEOUT_MS = 60_000

/** Brings what was pushed into the checkout, and says when it cannot: once, until it can or fails in another way. */
export function createPull({
  run,
  said,
}: {
  readonly run: RunAnsible
  readonly said: (line: string) => void
}): () => Promise<void> {
  let trouble = ''
  return async () => {
    const { ending, stderr } = await run('git', ['pull', '--ff-only', '--quiet'], {
      timeoutMs: PULL_TIMEOUT_MS,
      env: { GIT_TERMINAL_PROMPT: '0' },
    })
    if (ending.kind === 'interrupted') return
    const now = ending.kind === 'exited' && ending.code === 0 ? '' : whyNot(stderr, ending.kind)
    if (now !== trouble) said(now === '' ? 'git pull works again' : `git pull does not work: ${now}`)
    trouble = now
  }
}

function whyNot(stderr: string, ending: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const said = lines.find((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? ending.replace('_', ' ')
  // An address may hold a password.
  return printable(said.replace(/\/\/[^\s/@]*@/g, '//')).slice(0, 300)
}
