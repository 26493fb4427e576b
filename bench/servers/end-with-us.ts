import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

const children = new Set<ChildProcess>()

/** Has the child killed when this process ends before it, by Ctrl-C for example. */
export function endWithUs(child: ChildProcess): void {
  children.add(child)
  child.on('exit', () => children.delete(child))
}

/** Asks every child that is left to end, and waits for it. Then they have written their profiles, too. */
export async function endChildren(): Promise<void> {
  await Promise.all([...children].map(endChild))
}

const PATIENCE_MS = 60_000

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  await exited
  clearTimeout(kill)
}

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
