import { keyed } from './keyed.ts'

/**
 * What a certified baseline stands on, each part as a keyed hash: values of variables are secrets or quickly guessed.
 * When one of them is another, what Git asks of the host may be another, and only Ansible can tell.
 */
export type Binding = Readonly<Record<BindingPart, string>>

export type BindingPart = keyof typeof BINDING_PARTS

/** Each part in the words in which a person is told that it has changed. */
export const BINDING_PARTS = {
  format: 'gitops-status has been changed',
  commit: 'there is another commit',
  changes: 'changes that are not committed are others',
  playbook: 'it is another playbook',
  inventory: 'the inventory has changed',
  arguments: 'the arguments for ansible-playbook have changed',
  variables: 'a variable that is passed on has changed',
  hostKeys: 'the host keys come from elsewhere',
} as const satisfies Record<string, string>

export interface BindingFacts {
  readonly commit: string | null
  /** A digest of what is not committed; of everything where there is no commit. */
  readonly changes: string
  readonly playbook: string
  /**
   * All that `ansible-inventory --list` printed: a template may well ask for the variables of other hosts, or for who
   * is in a group.
   */
  readonly inventory: string
  readonly ansibleArgs: readonly string[]
  readonly variables: Readonly<Record<string, string>>
  readonly hostKeys: string
}

// Whoever changes what is watched, how it is compared or what is recorded of a run, raises it.
const BASELINE_VERSION = 1

/** The binding of each host. What all of them have in common is worked out once. */
export function bindingsOf(facts: BindingFacts, key: Buffer): (host: string) => Binding {
  const texts: Record<BindingPart, string> = {
    format: String(BASELINE_VERSION),
    commit: facts.commit ?? '',
    changes: facts.changes,
    playbook: facts.playbook,
    inventory: canonical(facts.inventory),
    arguments: JSON.stringify(facts.ansibleArgs),
    variables: JSON.stringify(Object.entries(facts.variables).sort(([a], [b]) => (a < b ? -1 : 1))),
    hostKeys: facts.hostKeys,
  }
  const shared = Object.entries(texts).map(([part, text]) => [part, keyed(key, 'binding', `${part}\0${text}`)])
  return (host) => {
    const parts = shared.map(([part, hash]) => [part, keyed(key, 'binding', `${host}\0${hash}`)])
    return Object.fromEntries(parts) as Binding // every part of `texts`
  }
}

/** The first part that is another; null when all are the same. */
export function changedPart(before: Binding, now: Binding): BindingPart | null {
  const parts = Object.keys(BINDING_PARTS) as BindingPart[]
  return parts.find((part) => before[part] !== now[part]) ?? null
}

/** A dynamic inventory may tell the same in another order each time. */
function canonical(json: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(json)))
  } catch {
    return json
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, one]) => [name, sorted(one)])
}
