import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** Acts on gitops-status itself once its Ansible is under way on the server. */
export function afterAnsibleStarted(act: (pid: number) => void): (pid: number) => Promise<void> {
  return async (pid) => {
    await playbookOf(pid)
    act(pid)
  }
}

/** Ends the ansible-playbook that gitops-status waits for, and none of its workers. */
export function killAnsible(signal: NodeJS.Signals): (pid: number) => Promise<void> {
  return async (pid) => {
    process.kill(await playbookOf(pid), signal)
  }
}

/** A TMPDIR in which there is no room left. */
export function fullDisk(): { readonly env: Readonly<Record<string, string>> } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'full-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k,nr_inodes=16', 'full-disk', directory])
  for (let file = 0; ; file++) {
    try {
      writeFileSync(join(directory, String(file)), 'x')
    } catch {
      break
    }
  }
  return {
    env: { TMPDIR: directory },
    [Symbol.dispose]() {
      execFileSync('umount', [directory])
      rmSync(directory, { recursive: true })
    },
  }
}

/** The ansible-playbook below this process, as soon as it has a worker. */
async function playbookOf(pid: number): Promise<number> {
  const deadline = performance.now() + 30_000
  while (performance.now() < deadline) {
    const playbook = childrenOf(pid).find((child) => /\bansible-playbook\b/.test(commandOf(child)))
    if (playbook !== undefined && childrenOf(playbook).some((child) => childrenOf(child).length > 0)) return playbook
    await delay(50)
  }
  throw new Error('no ansible-playbook was started')
}

function childrenOf(pid: number): number[] {
  return readdirOr(`/proc/${pid}/task`).flatMap((task) =>
    readOr(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  )
}

function commandOf(pid: number): string {
  return readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // ended meanwhile
  }
}

function readdirOr(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return [] // ended meanwhile
  }
}
