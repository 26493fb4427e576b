import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Where the keys of the servers come from; all null: from the repository. */
export interface KnownHosts {
  /** Lines of a known_hosts file. */
  readonly text: string | null
  readonly file: string | null
}

/** Committed beside the inventory, so that a server's key is reviewed like everything else. */
export const COMMITTED_KNOWN_HOSTS = 'ansible/known_hosts'

/**
 * The one file that ssh may take host keys from. When there is none it is an empty one, and ssh refuses every
 * server: a check never learns a key by itself.
 */
export function knownHostsFile(
  { text, file }: KnownHosts,
  { directory, cwd }: { readonly directory: string; readonly cwd: string },
): string {
  if (text !== null) {
    const written = join(directory, 'known_hosts')
    writeFileSync(written, `${text.replaceAll('\r\n', '\n').trimEnd()}\n`, { mode: 0o600 })
    return written
  }
  const chosen = resolve(cwd, file ?? COMMITTED_KNOWN_HOSTS)
  return existsSync(chosen) ? chosen : '/dev/null'
}
