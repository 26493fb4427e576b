// The same looks over the library ssh2, which is no dependency of ours. Without the user's ssh settings, which it does
// not know, and without looking at host keys.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { hostAgent } from '../../src/drift/ansible-parts.ts'
import { parseSnapshot } from '../../src/drift/snapshot/parse-snapshot.ts'
import { remoteCommand } from '../../src/drift/snapshot/ssh-command.ts'
import type { Job, Looked } from './job.ts'

interface Channel {
  write(data: Buffer | string): void
  on(event: 'data', listener: (chunk: Buffer) => void): void
}
interface Client {
  on(event: 'ready' | 'error', listener: (error: Error) => void): Client
  connect(options: object): void
  exec(command: string, use: (error: Error | undefined, channel: Channel) => void): void
  setNoDelay(noDelay: boolean): void
  end(): void
}

const PACKAGE = 'ssh2'
const { default: ssh2 }: { default: { Client: new () => Client } } = await import(PACKAGE)
const job: Job = JSON.parse(process.argv[2] ?? '')
const agent = Buffer.from(hostAgent())
const base64 = (path: string) => Buffer.from(path).toString('base64')
const watched = { paths: job.paths.map(base64), listings: [{ path: base64(job.listing), recurse: true }] }
const privateKey = readFileSync(job.keyFile, 'utf8')
// As many at once as ours.
const AT_ONCE = 8

type Ask = (text: Buffer | string) => Promise<Buffer>
const opened: { client: Client; ask: Ask }[] = []

async function open({ host, port }: Job['hosts'][number]): Promise<{ client: Client; ask: Ask }> {
  const client = new ssh2.Client()
  await new Promise<unknown>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject)
    client.connect({ host, port, username: 'root', privateKey, readyTimeout: 60_000 })
  })
  client.setNoDelay(true) // 40 ms for each look otherwise
  const channel = await new Promise<Channel>((resolve, reject) =>
    client.exec(String(remoteCommand({ python: null, become: null }, agent.length)), (error, channel) =>
      error ? reject(error) : resolve(channel),
    ),
  )
  let bytes = Buffer.alloc(0)
  let resolve: (payload: Buffer) => void = () => {}
  channel.on('data', (chunk) => {
    bytes = Buffer.concat([bytes, chunk])
    const head = bytes.indexOf(0x0a) + 1
    const length = Number(bytes.toString('latin1', 0, head).split(':')[3])
    if (head === 0 || bytes.length < head + length + 1) return
    resolve(bytes.subarray(head, head + length))
    bytes = Buffer.alloc(0)
  })
  const ask: Ask = (text) =>
    new Promise((answered) => {
      resolve = answered
      channel.write(text)
    })
  await ask(Buffer.concat([agent, Buffer.from('nonce\n')]))
  return { client, ask }
}

async function look(id: number): Promise<void> {
  const request = `${JSON.stringify({ id, kind: 'look', lease_seconds: 600, ...watched })}\n`
  const answers = await Promise.all(opened.map(({ ask }) => ask(request)))
  const digest = createHash('sha256')
  const failed: string[] = []
  for (const answer of answers) {
    const snapshot = parseSnapshot(answer, watched)
    if ('why' in snapshot) failed.push(snapshot.why)
    else for (const facts of snapshot.paths.values()) digest.update('sha256' in facts ? facts.sha256 : facts.kind)
  }
  console.log(JSON.stringify({ failed, digest: digest.digest('hex') } satisfies Looked))
}

const waiting = [...job.hosts]
async function openNext(): Promise<void> {
  for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) opened.push(await open(host))
}
await Promise.all(Array.from({ length: AT_ONCE }, openNext))
let id = 0
await look(++id)
for await (const _ of createInterface(process.stdin)) await look(++id)
for (const { client } of opened) client.end()
