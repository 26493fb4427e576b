// Looks at hosts as `check --fast` does: by our own code, over the user's OpenSSH.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { openHostLooks } from '../../src/drift/snapshot/host-looks.ts'
import type { Job, Looked } from './job.ts'

const job: Job = JSON.parse(process.argv[2] ?? '')
const base64 = (path: string) => Buffer.from(path).toString('base64')
const looks = openHostLooks({
  cwd: job.directory,
  env: { PATH: process.env.PATH ?? '', HOME: job.directory },
  ssh: {
    knownHostsFile: job.knownHostsFile,
    hasKnownHostsCommand: true,
    configured: { first: job.sshArgs, last: '' },
  },
})
const watched = { paths: job.paths.map(base64), listings: [{ path: base64(job.listing), recurse: true }] }
const requests = job.hosts.map(({ name, host, port }) => ({
  name,
  watched,
  access: { host, port, user: 'root', keyFile: job.keyFile, sshArgs: ['-F', 'none'], python: null, become: null },
}))

async function look(): Promise<void> {
  const results = await looks.lookAtAll(requests, { connectMs: 60_000, lookMs: 60_000 })
  const digest = createHash('sha256')
  const failed: string[] = []
  for (const [name, result] of results) {
    if ('error' in result) failed.push(`${name}: ${result.error.message}`)
    else
      for (const facts of result.snapshot.paths.values()) digest.update('sha256' in facts ? facts.sha256 : facts.kind)
  }
  console.log(JSON.stringify({ failed, digest: digest.digest('hex') } satisfies Looked))
}

await look()
for await (const _ of createInterface(process.stdin)) await look()
looks.close()
