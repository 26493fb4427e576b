import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Who holds which SSH key: names by fingerprint, as sshd logs it. */
export type People = ReadonlyMap<string, string>

/** Where a repository says whose key is whose. */
export const PEOPLE_FILE = '.gitops-status/people'

// A thousand people with long keys.
const MAX_BYTES = 1024 * 1024

/** Nobody where there is no such file; and where it is wrong, with what is. */
export function readPeople(directory: string): { readonly people: People; readonly problem: string | null } {
  const file = join(directory, PEOPLE_FILE)
  try {
    if (!existsSync(file)) return { people: new Map(), problem: null }
    const found = statSync(file)
    if (!found.isFile() || found.size > MAX_BYTES) throw new Error(`${PEOPLE_FILE} is no file of less than 1 MiB`)
    return { people: parsePeople(readFileSync(file, 'utf8')), problem: null }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { people: new Map(), problem: `Nobody is named by their key: ${error.message}` }
  }
}

/**
 * Reads lines such as `ssh-ed25519 AAAA… Alice` (what stands in an id_ed25519.pub) and `SHA256:… Alice`. Throws with
 * every line that is neither: a person who is silently missing could make a key look like somebody's else.
 */
export function parsePeople(text: string): People {
  const people = new Map<string, string>()
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, key = '', name = ''] = /^(SHA256:\S+|[a-z][\w.@-]+ +[A-Za-z0-9+/=]+)(?:\s+(.+))?$/.exec(trimmed) ?? []
    const fingerprint = fingerprintOf(key)
    const other = fingerprint === null ? undefined : people.get(fingerprint)
    if (fingerprint === null) problems.push(`line ${index + 1} begins with neither a public key nor SHA256:…`)
    else if (name === '') problems.push(`line ${index + 1} names nobody after the key`)
    else if (other !== undefined && other !== name)
      problems.push(`line ${index + 1} gives the key of ${other} to ${name}`)
    else people.set(fingerprint, name)
  }
  if (problems.length > 0) throw new Error(`${PEOPLE_FILE}: ${problems.join('; ')}`)
  return people
}

function fingerprintOf(key: string): string | null {
  if (/^SHA256:[A-Za-z0-9+/]{43}$/.test(key)) return key
  const [type = '', base64 = ''] = key.split(/ +/)
  const blob = Buffer.from(base64, 'base64')
  // A public key begins with its own type: what does not was cut or mistyped.
  if (blob.length < 4 + type.length || blob.readUInt32BE(0) !== type.length) return null
  if (blob.toString('latin1', 4, 4 + type.length) !== type) return null
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}
