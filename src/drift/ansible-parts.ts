import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AnsibleParts } from './ansible-environment.ts'

// The parts' texts by their paths below ansible/. Set by scripts/build.ts in the one-file program only.
declare const EMBEDDED_ANSIBLE_PARTS: Readonly<Record<string, string>> | undefined

/**
 * Where the callback plugin is, with the sentinel play and the inspection module that it finds from there: in this
 * repository as they lie, in the one-file program unpacked into the run's own directory.
 */
export function ansibleParts(directory: string): AnsibleParts {
  const root =
    typeof EMBEDDED_ANSIBLE_PARTS === 'undefined'
      ? fileURLToPath(new URL('../../ansible', import.meta.url))
      : unpack(EMBEDDED_ANSIBLE_PARTS, join(directory, 'ansible'))
  return { callbackDirectory: join(root, 'callback_plugins') }
}

/** What is run on a host by its own Python to look at it: sent over the connection, so it needs no place. */
export function hostAgent(): string {
  return agentPart('gitops_status_agent.py')
}

/** What the agent runs when it is asked who changed a file. */
export function blameProgram(): string {
  return agentPart('gitops_status_blame.py')
}

function agentPart(name: string): string {
  const path = `agent/${name}`
  return typeof EMBEDDED_ANSIBLE_PARTS === 'undefined'
    ? readFileSync(new URL(`../../ansible/${path}`, import.meta.url), 'utf8')
    : (EMBEDDED_ANSIBLE_PARTS[path] ?? '')
}

function unpack(parts: Readonly<Record<string, string>>, root: string): string {
  for (const [path, text] of Object.entries(parts)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  return root
}
