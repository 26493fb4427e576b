import { aBody, aFailure } from '../server/a-report.ts'
import { type AppUnderTest, post, startTestApp } from '../server/start-app.ts'

const BEGIN = Date.parse('2026-04-21T10:00:00Z')

/** A running server and its clock. */
export interface Fleet {
  readonly app: AppUnderTest
  readonly now: () => number
  readonly report: (...bodies: readonly object[]) => Promise<void>
  readonly pass: (minutes: number) => void
}

/** A server that nobody has reported to, at 10:00. */
export async function anEmptyFleet(): Promise<Fleet> {
  const app = await startTestApp({ at: new Date(BEGIN).toISOString() })
  let now = BEGIN
  return {
    app,
    now: () => now,
    async report(...bodies) {
      for (const body of bodies) {
        const { status, body: answer } = await post(app.url, { last_check: inSeconds(now), ...body })
        if (status !== 200) throw new Error(JSON.stringify(answer))
      }
    },
    pass(minutes) {
      app.advance(minutes * 60)
      now += minutes * 60_000
    },
  }
}

function inSeconds(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

const TWO_FILES = [
  { name: 'rsyslog.conf', change: 'modified', modified_by: 'root', modified_at: '2026-04-21T09:58:00Z' },
  { name: 'rsyslog.d/30-lab.conf', change: 'missing' },
] as const

const SYNCED = nowFrom(aBody())
const DRIFTED = nowFrom(aBody({ files: [...TWO_FILES] }))
const FAILED = nowFrom(aFailure())

/** Without a time: it is checked when it is reported. */
export function nowFrom<Body extends { readonly last_check: string }>({
  last_check: _,
  ...body
}: Body): Omit<Body, 'last_check'> {
  return body
}

/** What may be on show, by name. Each is a server some minutes after 10:00. */
export const FLEETS: Readonly<Record<string, (fleet: Fleet) => Promise<void>>> = {
  'no target': async () => {},
  'one target that is synced': async ({ report, pass }) => {
    await report(SYNCED)
    pass(1)
  },
  'one target that is out of sync': async ({ report, pass }) => {
    await report(SYNCED)
    pass(2)
    await report(DRIFTED)
    pass(2)
    await report(DRIFTED)
    pass(1)
  },
  'one target that drifted and was repaired': async ({ report, pass }) => {
    await report(SYNCED)
    pass(2)
    await report(DRIFTED)
    pass(2)
    await report(SYNCED)
    pass(1)
  },
  'one target whose check fails while it is out of sync': async ({ report, pass }) => {
    await report(DRIFTED)
    pass(2)
    await report(FAILED)
    pass(1)
  },
  'one target that fell silent': async ({ report, pass }) => {
    await report(SYNCED)
    pass(10)
  },
  'many targets': async ({ report, pass }) => {
    await report({ ...DRIFTED, server: 'silent' })
    pass(5)
    const clean = { coverage: { checked: 12, total: 12, unchecked: [] }, revision: { commit: '4a1c9d2e' } }
    const pipeline = { url: 'https://ci.example/repos/7/pipeline/41' }
    async function timely() {
      await report({ ...SYNCED, server: 'clean', ...clean })
      await report({ ...DRIFTED, server: 'drifted', pipeline }, { ...FAILED, server: 'failing' })
    }
    await timely()
    await report(nowFrom(aBody({ repo: 'owner/web', server: 'drifted', files: [{ name: '/srv/www/index.html' }] })), {
      ...SYNCED,
      server: 'late',
    })
    pass(2)
    await timely()
    pass(1)
  },
}
