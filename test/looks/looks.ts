import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HostAccess } from '../../src/drift/snapshot/host-access.ts'
import type { HostOptions } from '../../src/drift/snapshot/host-session.ts'
import type { HostSnapshot, PathFacts, SnapshotResult, Watched } from '../../src/drift/snapshot/host-snapshot.ts'
import type { Lab, LabServer } from '../lab/lab-server.ts'

export const base64 = (path: string | Buffer) => Buffer.from(path).toString('base64')

export function watching(paths: readonly (string | Buffer)[], listings: readonly string[] = []): Watched {
  return { paths: paths.map(base64), listings: listings.map((path) => ({ path: base64(path), recurse: true })) }
}

/** Reaches the servers of a lab, with the lab's key in a file. */
export function looksIn(lab: Lab, directory: string): { options: HostOptions; accessTo: typeof accessTo } {
  const keyFile = join(directory, 'key')
  const knownHostsFile = join(directory, 'known_hosts')
  writeFileSync(keyFile, lab.privateKey, { mode: 0o600 })
  writeFileSync(knownHostsFile, lab.knownHosts)

  function accessTo({ host, port }: LabServer, other: Partial<HostAccess> = {}): HostAccess {
    return { host, port, user: 'root', keyFile, sshArgs: ['-F', 'none'], python: null, become: null, ...other }
  }
  return {
    accessTo,
    options: {
      cwd: directory,
      env: { PATH: process.env.PATH ?? '', HOME: directory },
      ssh: {
        knownHostsFile,
        hasKnownHostsCommand: true,
        // The exchange that OpenSSH prefers costs five times as much, and nothing here is about it.
        configured: { first: '-C -o ControlMaster=auto -o KexAlgorithms=curve25519-sha256', last: '' },
      },
    },
  }
}

export function snapshotOf(result: SnapshotResult | undefined): HostSnapshot {
  if (result === undefined) throw new Error('no result')
  if ('error' in result) throw new Error(`${result.error.code}: ${result.error.message}`)
  return result.snapshot
}

export function factsOf(result: SnapshotResult | undefined, path: string | Buffer): PathFacts {
  const facts = snapshotOf(result).paths.get(base64(path))
  if (facts === undefined) throw new Error(`${path} was not looked at`)
  return facts
}

export const errorOf = (result: SnapshotResult | undefined) =>
  result !== undefined && 'error' in result ? result.error : { code: 'none', message: '' }
