import { aBody, aFailure } from './a-report.ts'
import { type AppUnderTest, post, startTestApp } from './start-app.ts'

/** A server that has lived through an hour and a half with one target of each kind. */
export async function startFleet(): Promise<AppUnderTest> {
  const app = await startTestApp({ at: '2026-04-21T09:00:00Z' })
  const CLEAN = { server: 'clean', revision: { commit: '4a1c9d2e', branch: 'main' }, coverage: coverage(12, 12) }
  const PIPELINE = { url: 'https://ci.example/repos/7/pipeline/41', number: 41, event: 'cron' }
  const DRIFT = [
    { name: 'rsyslog.conf', change: 'modified' as const, modified_at: '2026-04-21T09:17:03Z', modified_by: 'root' },
    { name: 'rsyslog.d/30-lab.conf', path: '/etc/rsyslog.d/30-lab.conf', change: 'missing' as const },
  ]
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T09:00:00Z' }),
    aBody({ server: 'drifted', last_check: '2026-04-21T09:00:00Z' }),
    aBody({ server: 'failed', last_check: '2026-04-21T08:59:30Z' }),
    aBody({ server: 'silent', last_check: '2026-04-21T09:00:00Z', files: [{ name: '=HYPERLINK("http://x")' }] }),
  ])
  app.advance(30 * 60)
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T09:30:00Z', pipeline: PIPELINE }),
    aBody({ server: 'drifted', last_check: '2026-04-21T09:30:00Z', files: DRIFT, pipeline: PIPELINE }),
    aFailure({ server: 'failed', last_check: '2026-04-21T09:29:45.250Z', interval_seconds: 7_200 }),
    aBody({
      repo: 'owner/web',
      server: 'drifted',
      last_check: '2026-04-21T09:30:00Z',
      interval_seconds: 7_200,
      files: [{ name: 'nginx : reload', kind: 'resource' }],
    }),
  ])
  app.advance(60 * 60)
  await post(app.url, [
    aBody({ ...CLEAN, last_check: '2026-04-21T10:30:00Z', run_id: 'r-3', duration_ms: 5_210 }),
    aBody({ server: 'drifted', last_check: '2026-04-21T10:29:50Z', files: DRIFT, pipeline: PIPELINE }),
  ])
  return app
}

function coverage(checked: number, total: number) {
  return { checked, total, unchecked: [] }
}
